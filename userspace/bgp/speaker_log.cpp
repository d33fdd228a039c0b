#include "bgp/speaker_log.h"

#include <spdlog/spdlog.h>

#include <algorithm>

namespace guideway::bgp {
namespace {

// Behind the first line after some that were left out.
std::string left_out(LogLimiter& limiter) {
  const std::uint64_t lines = limiter.take_untold();
  return lines == 0 ? std::string()
                    : " (and " + std::to_string(lines) + " times before it, not logged)";
}

}  // namespace

void SpeakerLog::answered(const std::string& api, const Report& report, Circumstances circumstances,
                          Time now) {
  if (contact_ != Contact::good) tell_found(api, report, now);
  contact_ = Contact::good;
  if (circumstances.restarted) {
    if (restart_limiter_.allow(now)) tell_restarted(api, report);
  } else if (!circumstances.unasked || report.started) {
    tell_done(report.done, "");
  } else if (!report.done.empty() && mended_limiter_.allow(now)) {
    tell_done(report.done, "mended what others changed" + left_out(mended_limiter_) + ": ");
  }
  for (const std::string& note : report.notes) spdlog::info("bgp: {}", note);
  tell_sessions(report.sessions, now);
}

void SpeakerLog::tell_found(const std::string& api, const Report& report, Time now) {
  const bool was_told = !told_error_.empty();
  told_error_.clear();
  if (contact_ == Contact::unknown)
    spdlog::info("bgp: {} at {} answers", report.name, api);
  else if (was_told)
    spdlog::info("bgp: {} at {} answers, after {} s", report.name, api,
                 std::chrono::floor<std::chrono::seconds>(now - bad_since_).count());
}

void SpeakerLog::tell_restarted(const std::string& api, const Report& report) {
  spdlog::warn(
      "bgp: {} at {} had lost all that it was given, as after a restart; it is given it again{}",
      report.name, api, left_out(restart_limiter_));
  tell_done(report.done, "");
}

void SpeakerLog::tell_done(const std::vector<std::string>& done, const std::string& why) {
  const std::size_t told = std::min(done.size(), kMostLines);
  for (std::size_t i = 0; i < told; ++i) spdlog::info("bgp: {}{}", why, done[i]);
  if (told < done.size()) spdlog::info("bgp: {}and {} more", why, done.size() - told);
}

void SpeakerLog::failed(const Error& error, Time now) {
  if (contact_ != Contact::bad) bad_since_ = now;
  contact_ = Contact::bad;
  const std::string text = error.text();
  if (text == told_error_ || !contact_limiter_.allow(now)) return;
  told_error_ = text;
  spdlog::warn("bgp: {}; tried again each second{}", text, left_out(contact_limiter_));
}

void SpeakerLog::tell_sessions(const std::vector<Session>& sessions, Time now) {
  std::map<std::string, bool> established;
  for (const Session& one : sessions) {
    established[one.peer] = one.established();
    const auto before = established_.find(one.peer);
    const bool was = before != established_.end() && before->second;
    if (was == one.established() || !session_limiter_.allow(now)) continue;
    const std::string more = left_out(session_limiter_);
    if (one.established())
      spdlog::info("bgp: session with {} (AS {}) is established{}", one.peer, one.asn, more);
    else
      spdlog::warn("bgp: session with {} (AS {}) is down: {}{}", one.peer, one.asn, one.state,
                   more);
  }
  established_ = std::move(established);
}

}  // namespace guideway::bgp
