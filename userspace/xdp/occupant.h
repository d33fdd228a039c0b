// The XDP program that is on an interface already, whoever has put it there: what it is, what
// shares the interface behind it, and why Guideway's own cannot be there as well.
//
// Names, and what is behind libxdp's dispatcher, are told to CAP_SYS_ADMIN only.
//
// Threads: any. Nothing is changed, and nothing stays open.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "xdp/attach_mode.h"
#include "xdp/nic.h"

namespace guideway::xdp {

// The program of libxdp by which several share an interface: each of them replaces (freplace) one
// of its functions, and stays for as long as that link is pinned in a BPF file system.
inline constexpr std::string_view kDispatcher = "xdp_dispatcher";

// A program that replaces a function of another, by the ids that the kernel knows it and its link
// by.
struct Replacement {
  std::uint32_t program_id = 0;
  std::uint32_t link_id = 0;
  std::string name;  // empty: it has none
};
// Its name, or "program 12" of one without.
[[nodiscard]] std::string called(const Replacement& replacement);

// Those of the loaded program with this id, in no order. nullopt: not all could be asked for, for
// want of CAP_SYS_ADMIN in most cases, or of descriptors or memory.
[[nodiscard]] std::optional<std::vector<Replacement>> replacements_in(std::uint32_t program_id);

// Whether the link with this id is there. True also if that cannot be asked.
[[nodiscard]] bool link_exists(std::uint32_t link_id);

struct Occupant {
  std::uint32_t id = 0;
  AttachMode mode = AttachMode::native;
  std::string name;                  // empty: it has none, or it is not told
  int name_error = 0;                // errno: why it is not told
  std::vector<std::string> sharing;  // by name, if it is a dispatcher
};

// What is on the interface; nullopt in the Result: nothing.
[[nodiscard]] Result<std::optional<Occupant>> find_occupant(std::uint32_t interface_index);

// What mends it that a program was refused as busy, in words, with a command where one does.
// `dispatcher_answers`: libxdp knows what is behind the dispatcher that is there.
[[nodiscard]] std::string occupied_hint(const Nic& nic, AttachMode wanted,
                                        const Result<std::optional<Occupant>>& found,
                                        bool dispatcher_answers);

}  // namespace guideway::xdp
