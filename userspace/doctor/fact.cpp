#include "doctor/fact.h"

#include <cerrno>
#include <cstring>

namespace guideway::doctor {
namespace {

Why why_of(int error_number) {
  switch (error_number) {
    case EPERM:
    case EACCES: return Why::no_privilege;
    case EOPNOTSUPP:
    case ENOSYS:
    case ENOTTY:
    case EAFNOSUPPORT:
    case EPROTONOSUPPORT:
    case ESOCKTNOSUPPORT: return Why::not_supported;
    case ENOENT:
    case ENOTDIR:
    case ENODEV: return Why::not_there;
    default: return Why::failed;
  }
}

}  // namespace

std::string_view name(Why why) {
  switch (why) {
    case Why::not_read: return "not_read";
    case Why::no_privilege: return "no_privilege";
    case Why::not_supported: return "not_supported";
    case Why::not_there: return "not_there";
    case Why::failed: return "failed";
  }
  return "?";
}

Unknown unknown_errno(const std::string& doing, int error_number) {
  return {why_of(error_number), doing + ": " + std::strerror(error_number)};
}

}  // namespace guideway::doctor
