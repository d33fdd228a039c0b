#include "observe/http_message.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

#include "core/utf8.h"

namespace guideway::observe {

HttpAnswer http_error(unsigned status, std::string_view what) {
  return {.status = status,
          .body = boost::json::serialize(boost::json::object{{"error", valid_utf8(what)}})};
}

}  // namespace guideway::observe
