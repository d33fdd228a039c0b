// The file of a Unix socket: how it comes to be at its path, with the right permissions from its
// first moment, and how it goes again.
//
// Threads: one. Owns: the file, not the socket.
#pragma once

#include <sys/types.h>

#include <string>

#include "core/result.h"

namespace guideway::observe {

class SocketFile {
 public:
  // Binds the stream socket `socket` to `path` with mode 0660. A socket file that nobody listens at
  // any more is replaced; one that is served, or a file of another kind, is an error. Missing
  // folders are made with mode 0755. REQUIRES: `socket` is a Unix stream socket, not bound.
  [[nodiscard]] static Result<SocketFile> bind(int socket, const std::string& path);

  SocketFile(SocketFile&& other) noexcept;
  SocketFile& operator=(SocketFile&&) = delete;
  // Removes the file, unless another has taken its place.
  ~SocketFile();

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  SocketFile(std::string path, dev_t device, ino_t inode)
      : path_(std::move(path)), device_(device), inode_(inode) {}

  std::string path_;  // absolute; empty: given away
  dev_t device_;
  ino_t inode_;
};

}  // namespace guideway::observe
