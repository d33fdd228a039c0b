#include "doctor/interrupts.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <system_error>

namespace guideway::doctor {
namespace {

namespace fs = std::filesystem;

using Serves = Interrupt::Serves;

// The end of a name before its number, lower case; both first, as they end like the others.
struct Ending {
  std::string_view text;
  Serves serves;
};
constexpr auto kEndings = std::to_array<Ending>({{"txrx", Serves::both},
                                                 {"rxtx", Serves::both},
                                                 {"tx-rx", Serves::both},
                                                 {"rx-tx", Serves::both},
                                                 {"mlx5_comp", Serves::both},
                                                 {"mana_q", Serves::both},
                                                 {"-fp", Serves::both},
                                                 {"input", Serves::receive},
                                                 {"rx", Serves::receive},
                                                 {"output", Serves::transmit},
                                                 {"tx", Serves::transmit}});

// The numbers of the interrupts of a device, which is that of the interface or, where that is on a
// virtual bus (virtio, auxiliary), the PCI device below. Never beyond: a PCI bridge has interrupts
// of its own.
std::vector<std::uint32_t> numbers_of(fs::path device) {
  constexpr int kMostSteps = 3;
  for (int step = 0; step < kMostSteps; ++step, device = device.parent_path()) {
    std::vector<std::uint32_t> numbers;
    for (const std::string& name : names_in(device / "msi_irqs"))
      if (const auto number = parse_number(name))
        numbers.push_back(static_cast<std::uint32_t>(*number));
    std::ranges::sort(numbers);
    if (!numbers.empty()) return numbers;
    const std::string bus = link_name(device / "subsystem");
    if (const auto line = read_number(device / "irq"); bus == "pci" && line && *line != 0)
      return {static_cast<std::uint32_t>(*line)};
    if (bus == "pci" || bus.empty()) return {};
  }
  return {};
}

}  // namespace

std::map<std::uint32_t, std::string> parse_interrupt_names(std::string_view text) {
  std::map<std::uint32_t, std::string> names;
  for (const auto line : lines_of(text)) {
    const auto words = words_of(line);
    // " 38:  COUNT..  CHIP  [HARDWARE NUMBER]-edge  NAME"; one that is not in use ends before it.
    if (words.size() < 3 || !words.front().ends_with(':')) continue;
    const auto number = parse_number(words.front().substr(0, words.front().size() - 1));
    const std::string_view last = words.back();
    if (!number || last.ends_with("-edge") || last.ends_with("-level") ||
        last.ends_with("-fasteoi") || last == "Edge" || last == "Level" || parse_number(last))
      continue;
    names[static_cast<std::uint32_t>(*number)] = last;
  }
  return names;
}

Served served_by_name(std::string_view name, std::string_view interface) {
  name = name.substr(0, name.find('@'));
  const auto last_letter = name.find_last_not_of("0123456789");
  if (last_letter == std::string_view::npos || last_letter + 1 == name.size()) return {};
  const auto queue = parse_number(name.substr(last_letter + 1));
  std::string stem(name.substr(0, last_letter + 1));
  while (!stem.empty() && std::string_view("-._:").find(stem.back()) != std::string_view::npos)
    stem.pop_back();
  if (!queue || *queue > 0xffff) return {};
  const auto number = static_cast<std::uint32_t>(*queue);
  if (stem == interface) return {Serves::both, number};
  std::ranges::transform(stem, stem.begin(), [](unsigned char letter) {
    return static_cast<char>(std::tolower(letter));
  });
  for (const Ending& ending : kEndings)
    if (stem.ends_with(ending.text)) return {ending.serves, number};
  return {};
}

Fact<std::vector<Interrupt>> read_interrupts(const std::string& interface, const Root& root) {
  const fs::path link = root / "sys/class/net" / interface / "device";
  std::error_code error;
  const fs::path device = fs::canonical(link, error);
  if (error) return Unknown{Why::not_there, interface + " has no device, so no interrupts"};
  const auto numbers = numbers_of(device);
  if (numbers.empty())
    return Unknown{Why::not_there,
                   "reading " + (link / "msi_irqs").string() + ": there are no interrupts"};
  const auto text = read_text(root / "proc/interrupts");
  const auto names = parse_interrupt_names(text.value_or(""));
  std::vector<Interrupt> result;
  for (const std::uint32_t number : numbers) {
    Interrupt interrupt;
    interrupt.number = number;
    if (const auto found = names.find(number); found != names.end()) interrupt.name = found->second;
    const Served served = served_by_name(interrupt.name, interface);
    interrupt.serves = served.serves;
    interrupt.queue = served.queue;
    const fs::path folder = root / "proc/irq" / std::to_string(number);
    interrupt.allowed_cpus = read_list(folder / "smp_affinity_list");
    interrupt.effective_cpus = read_list(folder / "effective_affinity_list");
    result.push_back(std::move(interrupt));
  }
  return result;
}

}  // namespace guideway::doctor
