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
    """Removes it, unless it is in use. Another process may be about the same at the same time."""
    try:
        lock = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    except (BlockingIOError, FileNotFoundError):  # in use, or removed by another before we had the lock
        pass
    finally:
        os.close(lock)
