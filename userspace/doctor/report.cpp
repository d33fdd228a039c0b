#include "doctor/report.h"

#include <array>
#include <cstdio>
#include <string_view>

namespace guideway::doctor {

void Report::miss(const Unknown& unknown, const std::string& check, const std::string& what) {
  switch (unknown.why) {
    case Why::no_privilege: unseen_.without_privilege.insert(what); return;
    case Why::failed:
      say(Severity::note, check, what + " could not be looked at: " + unknown.because);
      return;
    // A thing that does not exist here is not amiss; and where it is needed, its absence is a
    // finding of another check.
    case Why::not_supported:
    case Why::not_there:
    case Why::not_read: return;
  }
}

std::string listed(const std::vector<std::string>& items, std::size_t most) {
  const std::size_t shown = items.size() > most ? most : items.size();
  std::string out;
  for (std::size_t i = 0; i < shown; ++i) {
    if (i != 0) out += i + 1 == items.size() ? " and " : ", ";
    out += items[i];
  }
  if (shown < items.size()) out += " and " + std::to_string(items.size() - shown) + " more";
  return out;
}

std::string ranges(const std::vector<std::uint32_t>& numbers) {
  std::string out;
  for (std::size_t i = 0; i < numbers.size();) {
    std::size_t last = i;
    while (last + 1 < numbers.size() && numbers[last + 1] == numbers[last] + 1) ++last;
    out += (out.empty() ? "" : ",") + std::to_string(numbers[i]);
    if (last != i) out += "-" + std::to_string(numbers[last]);
    i = last + 1;
  }
  return out;
}

std::string shell_word(const std::string& word) {
  constexpr std::string_view kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_@%+=:,./-";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos) return word;
  std::string out = "'";
  for (const char letter : word)
    out += letter == '\'' ? std::string("'\\''") : std::string(1, letter);
  return out + "'";
}

std::string counted(std::uint64_t number, const std::string& word) {
  return std::to_string(number) + " " + word + (number == 1 ? "" : "s");
}

std::string size_text(std::uint64_t bytes) {
  constexpr std::uint64_t kKib = 1024, kMib = kKib * 1024, kGib = kMib * 1024;
  if (bytes < kMib) return std::to_string((bytes + kKib - 1) / kKib) + " KiB";
  if (bytes < kGib) return std::to_string((bytes + kMib - 1) / kMib) + " MiB";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f GiB",
                static_cast<double>(bytes) / static_cast<double>(kGib));
  return text.data();
}

Mend sysctl(const std::string& name, const std::string& value) {
  return Mend::by_command(
      "sysctl -w " + name + "=" + value,
      name + " = " + value + " in a file such as /etc/sysctl.d/60-guideway.conf");
}

Mend ethtool(const std::string& arguments, const std::string& link_setting) {
  return Mend::by_command("ethtool " + arguments,
                          link_setting.empty()
                              ? "the same command at each boot"
                              : link_setting +
                                    " under [Link] in its file in /etc/systemd/network, such as "
                                    "10-guideway.link; or the same command at each boot");
}

Mend while_stopped(Mend mend) {
  mend.text = "systemctl stop guideway; " + mend.text + "; systemctl start guideway";
  return mend;
}

}  // namespace guideway::doctor
