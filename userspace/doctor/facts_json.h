// Facts as a JSON document, for `guideway doctor --facts`. A value that is not known is an object
// {"unknown": REASON, "why": WORD}; one that is none is null. Pure.
#pragma once

#include <boost/json/object.hpp>

#include "doctor/facts.h"

namespace guideway::doctor {

[[nodiscard]] boost::json::object to_json(const Facts& facts);

}  // namespace guideway::doctor
