#include "xdp/occupant.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/if_link.h>

#include <cerrno>
#include <cstring>

#include "core/unique_fd.h"

namespace guideway::xdp {
namespace {

// Of the program with this id; nullopt, with errno: why it is not told.
std::optional<std::string> name_of(std::uint32_t program_id) {
  const UniqueFd program(bpf_prog_get_fd_by_id(program_id));
  bpf_prog_info info{};
  std::uint32_t size = sizeof info;
  if (!program.valid() || bpf_obj_get_info_by_fd(program.get(), &info, &size) != 0)
    return std::nullopt;
  return info.name;
}

std::string listed(const std::vector<std::string>& names) {
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i == 0 ? "" : i + 1 == names.size() ? " and " : ", ") + names[i];
  return text;
}

std::string with_id(const std::string& what, std::uint32_t id) {
  return what + " (id " + std::to_string(id) + ")";
}

// Of a program without a name, or of which none is told.
std::string nameless_hint(const Occupant& occupant) {
  const std::string who = with_id("an XDP program", occupant.id) + " is there already, ";
  if (occupant.name_error == 0) return who + "has no name and does not share";
  if (occupant.name_error == EPERM || occupant.name_error == EACCES)
    return who + "and to share with one takes cap_sys_admin";
  return who + "and what it is could not be asked: " + std::strerror(occupant.name_error);
}

std::string dispatcher_hint(const Nic& nic, AttachMode wanted, const Occupant& occupant,
                            bool dispatcher_answers) {
  const std::string who =
      "libxdp's dispatcher " + with_id(occupant.name, occupant.id) + " is there already" +
      (occupant.sharing.empty() ? "" : ", with " + listed(occupant.sharing) + " behind it,");
  if (occupant.mode != wanted)
    return who + " in " + std::string(name(occupant.mode)) +
           " mode, and an interface has one mode: attach what is there in " +
           std::string(name(wanted)) + " mode" +
           (wanted == AttachMode::native ? ", or set mode: generic for this interface" : "");
  const std::string off = "take it off with: " + take_off_command(nic.name, occupant.mode);
  if (dispatcher_answers) return who + " and takes no other program; " + off;
  return who +
         " and is pinned in another BPF file system than this process sees: mount that one on "
         "/sys/fs/bpf here, or name it by LIBXDP_BPFFS; or " +
         off;
}

}  // namespace

std::string called(const Replacement& replacement) {
  return replacement.name.empty() ? "program " + std::to_string(replacement.program_id)
                                  : replacement.name;
}

std::optional<std::vector<Replacement>> replacements_in(std::uint32_t program_id) {
  std::vector<Replacement> found;
  std::uint32_t id = 0;
  int error = 0;
  while ((error = bpf_link_get_next_id(id, &id)) == 0) {
    const UniqueFd link(bpf_link_get_fd_by_id(id));
    if (!link.valid() && errno == ENOENT) continue;  // gone since
    bpf_link_info info{};
    std::uint32_t size = sizeof info;
    if (!link.valid() || bpf_obj_get_info_by_fd(link.get(), &info, &size) != 0) return std::nullopt;
    if (info.type != BPF_LINK_TYPE_TRACING || info.tracing.target_obj_id != program_id) continue;
    auto name = name_of(info.prog_id);  // there for as long as its link is held here
    if (!name) return std::nullopt;
    found.push_back({.program_id = info.prog_id, .link_id = id, .name = std::move(*name)});
  }
  if (error != -ENOENT) return std::nullopt;
  return found;
}

bool link_exists(std::uint32_t link_id) {
  const UniqueFd link(bpf_link_get_fd_by_id(link_id));
  return link.valid() || errno != ENOENT;
}

Result<std::optional<Occupant>> find_occupant(std::uint32_t interface_index) {
  LIBBPF_OPTS(bpf_xdp_query_opts, answer);
  if (const int error = bpf_xdp_query(static_cast<int>(interface_index), 0, &answer); error != 0)
    return fail_errno("asking which XDP program is there", -error);
  Occupant occupant;
  occupant.mode =
      answer.skb_prog_id != 0 && answer.drv_prog_id == 0 ? AttachMode::generic : AttachMode::native;
  for (const std::uint32_t id :
       {answer.prog_id, answer.drv_prog_id, answer.skb_prog_id, answer.hw_prog_id})
    if (occupant.id == 0) occupant.id = id;
  if (occupant.id == 0) return std::optional<Occupant>();
  if (auto name = name_of(occupant.id); name)
    occupant.name = std::move(*name);
  else if (errno == ENOENT)
    return std::optional<Occupant>();  // gone since
  else
    occupant.name_error = errno;
  if (occupant.name == kDispatcher)
    for (const auto& one : replacements_in(occupant.id).value_or(std::vector<Replacement>()))
      occupant.sharing.push_back(called(one));
  return std::optional(std::move(occupant));
}

std::string occupied_hint(const Nic& nic, AttachMode wanted,
                          const Result<std::optional<Occupant>>& found, bool dispatcher_answers) {
  if (!found) return "another XDP program was there; " + found.error().text();
  const std::optional<Occupant>& occupant = *found;
  if (!occupant) return "another XDP program was there, and has gone by now: try again";
  if (occupant->name == kDispatcher)
    return dispatcher_hint(nic, wanted, *occupant, dispatcher_answers);
  const std::string off = "take it off with: " + take_off_command(nic.name, occupant->mode);
  if (occupant->name.empty()) return nameless_hint(*occupant) + "; " + off;
  return "the XDP program " + with_id(occupant->name, occupant->id) +
         " is there already and does not share; " + off;
}

}  // namespace guideway::xdp
