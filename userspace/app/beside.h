// Work that would block the control thread, done beside it: `co_await beside(pool, work)` runs
// `work` on the pool's thread and goes on, with its result, on the executor that awaits it.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <type_traits>
#include <utility>

namespace guideway::app {

// REQUIRES: what `work` refers to outlives it, also where the awaiting coroutine does not. `work`
// is no temporary: GCC 12 destroys one with captures twice when it is part of a co_await expression
// (GCC bug 99576), so name it and move it.
template <class Work>
requires(!std::is_lvalue_reference_v<Work>)
    boost::asio::awaitable<std::invoke_result_t<Work>> beside(boost::asio::thread_pool& pool,
                                                              Work&& work) {
  struct Run {
    static boost::asio::awaitable<std::invoke_result_t<Work>> run(Work it) { co_return it(); }
  };
  co_return co_await boost::asio::co_spawn(pool.get_executor(), Run::run(std::forward<Work>(work)),
                                           boost::asio::use_awaitable);
}

}  // namespace guideway::app
