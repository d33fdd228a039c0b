// What the admin server answers: from a request, or from what was wrong with one, to a response. No
// sockets. (Pulls Boost.Beast in: for admin_server.cpp alone.)
//
// Threads: none of its own.
#pragma once

#include <boost/beast/http/message.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <functional>
#include <optional>
#include <string>

namespace guideway::observe {

using AdminRequest = boost::beast::http::request<boost::beast::http::string_body>;
using AdminRequestParser = boost::beast::http::request_parser<boost::beast::http::string_body>;
using AdminAnswer = boost::beast::http::response<boost::beast::http::string_body>;

// The answer to a request that arrived whole. `status` makes the document; where it throws, the
// answer is a 500.
[[nodiscard]] AdminAnswer respond(const AdminRequest& request,
                                  const std::function<std::string()>& status);

// The answer to what could not be read as a request, after which the connection is to be closed;
// nullopt where there is nothing to answer: the client has gone, is silent, or was closed.
[[nodiscard]] std::optional<AdminAnswer> refuse(boost::system::error_code error);

}  // namespace guideway::observe
