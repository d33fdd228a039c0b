"""Folders that are in use are locked, so that who tidies up leaves them alone."""
import fcntl
import os
import shutil


def hold(folder):
    """A shared lock on the folder, until the descriptor that is returned is closed or the process ends."""
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_SH)
    return lock


def remove_unless_held(folder):
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    except BlockingIOError:
        pass
    finally:
        os.close(lock)
