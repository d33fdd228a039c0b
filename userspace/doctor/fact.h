// A value that was read of the host, or why it is not known. Nothing that a doctor looks at has to
// be readable: a missing privilege, an older kernel, a driver that does not answer are values too.
#pragma once

#include <cassert>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace guideway::doctor {

enum class Why : std::uint8_t {
  not_read,       // nobody has looked
  no_privilege,   // the kernel tells it to root, or to whoever has a capability
  not_supported,  // the kernel, the driver or the device has no such thing
  not_there,      // what it would be read of does not exist (an interface, a file)
  failed,         // should have worked
};

[[nodiscard]] std::string_view name(Why why);

struct Unknown {
  Why why = Why::not_read;
  std::string because = "it was not read";  // "doing X: cause"
  friend bool operator==(const Unknown&, const Unknown&) = default;
};

template <class T>
class Fact {
 public:
  Fact() = default;  // unknown: it was not read
  // Implicit, so that a field is assigned like a plain one.
  Fact(T value) : value_(std::move(value)), unknown_{} {}
  Fact(Unknown unknown) : unknown_(std::move(unknown)) {}

  [[nodiscard]] bool known() const { return value_.has_value(); }
  explicit operator bool() const { return known(); }
  // REQUIRES: known().
  [[nodiscard]] const T& operator*() const {
    assert(known());
    return *value_;
  }
  [[nodiscard]] const T* operator->() const { return &**this; }
  [[nodiscard]] T value_or(T otherwise) const { return value_.value_or(std::move(otherwise)); }
  // Known, and this.
  [[nodiscard]] bool is(const T& wanted) const { return known() && *value_ == wanted; }

  // REQUIRES: !known().
  [[nodiscard]] const Unknown& unknown() const {
    assert(!known());
    return unknown_;
  }
  // "" where it is known.
  [[nodiscard]] std::string because() const { return known() ? std::string() : unknown_.because; }

  friend bool operator==(const Fact& a, const Fact& b) {
    return a.value_ == b.value_ && (a.known() || a.unknown_ == b.unknown_);
  }

 private:
  std::optional<T> value_;
  Unknown unknown_;
};

// Of a system call that failed with `error_number` while `doing`.
[[nodiscard]] Unknown unknown_errno(const std::string& doing, int error_number);

}  // namespace guideway::doctor
