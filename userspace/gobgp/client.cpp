#include "gobgp/client.h"

#include <utility>

namespace guideway::gobgp {
namespace {

using Stub = Connection::Stub;
using Context = grpc::ClientContext;

constexpr char kGlobalTable[] = "global";

// A method of the stub with one answer, of which nothing is wanted.
template <class Request, class Answer>
Result<> tell(Connection& connection, const std::string& doing,
              grpc::Status (Stub::*method)(Context*, const Request&, Answer*),
              const Request& request) {
  return connection.call(doing, [&](Stub& stub, Context& context) {
    Answer ignored;
    return (stub.*method)(&context, request, &ignored);
  });
}

// A method with a stream of answers.
template <class Request, class Answer>
Result<> list(Connection& connection, const std::string& doing,
              std::unique_ptr<grpc::ClientReaderInterface<Answer>> (Stub::*method)(Context*,
                                                                                   const Request&),
              const Request& request, const std::function<void(Answer&)>& visit) {
  return connection.call(doing, [&](Stub& stub, Context& context) {
    const auto reader = (stub.*method)(&context, request);
    Answer answer;
    while (reader->Read(&answer)) visit(answer);
    return reader->Finish();
  });
}

const std::string& address_of(const apipb::Peer& peer) { return peer.conf().neighbor_address(); }

}  // namespace

Result<apipb::Global> Client::global() {
  apipb::GetBgpResponse answer;
  const auto asked = connection_.call("GetBgp", [&](Stub& stub, Context& context) {
    return stub.GetBgp(&context, apipb::GetBgpRequest(), &answer);
  });
  if (!asked) return std::unexpected(asked.error());
  return std::move(*answer.mutable_global());
}

Result<> Client::start(const apipb::Global& global) {
  apipb::StartBgpRequest request;
  *request.mutable_global() = global;
  return tell(connection_, "StartBgp", &Stub::StartBgp, request);
}

Result<> Client::stop() {
  return tell(connection_, "StopBgp", &Stub::StopBgp, apipb::StopBgpRequest());
}

Result<std::vector<apipb::Peer>> Client::peers() {
  std::vector<apipb::Peer> result;
  const auto listed = list<apipb::ListPeerRequest, apipb::ListPeerResponse>(
      connection_, "ListPeer", &Stub::ListPeer, {},
      [&](auto& answer) { result.push_back(std::move(*answer.mutable_peer())); });
  if (!listed) return std::unexpected(listed.error());
  return result;
}

Result<> Client::add_peer(const apipb::Peer& peer) {
  apipb::AddPeerRequest request;
  *request.mutable_peer() = peer;
  return tell(connection_, "AddPeer " + address_of(peer), &Stub::AddPeer, request);
}

Result<> Client::replace_peer(const apipb::Peer& peer) {
  apipb::UpdatePeerRequest request;
  *request.mutable_peer() = peer;
  return tell(connection_, "UpdatePeer " + address_of(peer), &Stub::UpdatePeer, request);
}

Result<> Client::delete_peer(const std::string& address) {
  apipb::DeletePeerRequest request;
  request.set_address(address);
  return tell(connection_, "DeletePeer " + address, &Stub::DeletePeer, request);
}

Result<> Client::enable_peer(const std::string& address) {
  apipb::EnablePeerRequest request;
  request.set_address(address);
  return tell(connection_, "EnablePeer " + address, &Stub::EnablePeer, request);
}

Result<> Client::reapply_policy() {
  apipb::ResetPeerRequest request;
  request.set_address("all");
  request.set_soft(true);
  request.set_direction(apipb::ResetPeerRequest::BOTH);
  return tell(connection_, "ResetPeer all", &Stub::ResetPeer, request);
}

Result<> Client::add_path(const apipb::Path& path, const bgp::Prefix& prefix) {
  apipb::AddPathRequest request;
  *request.mutable_path() = path;
  return tell(connection_, "AddPath " + prefix.text(), &Stub::AddPath, request);
}

Result<> Client::delete_path(const apipb::Path& path, const bgp::Prefix& prefix) {
  apipb::DeletePathRequest request;
  *request.mutable_family() = path.family();
  *request.mutable_path() = path;
  return tell(connection_, "DeletePath " + prefix.text(), &Stub::DeletePath, request);
}

Result<> Client::list_paths(const Listing& listing, const Visit& visit) {
  apipb::ListPathRequest request;
  *request.mutable_family() = listing.family;
  request.set_enable_only_binary(listing.brief);
  for (const bgp::Prefix& prefix : listing.prefixes)
    request.add_prefixes()->set_prefix(prefix.text());
  return list<apipb::ListPathRequest, apipb::ListPathResponse>(
      connection_, "ListPath", &Stub::ListPath, request,
      [&](auto& answer) { visit(answer.destination()); });
}

Result<std::vector<apipb::PolicyAssignment>> Client::policy_assignments() {
  std::vector<apipb::PolicyAssignment> result;
  apipb::ListPolicyAssignmentRequest request;
  request.set_name(kGlobalTable);
  const auto listed = list<apipb::ListPolicyAssignmentRequest, apipb::ListPolicyAssignmentResponse>(
      connection_, "ListPolicyAssignment", &Stub::ListPolicyAssignment, request,
      [&](auto& answer) { result.push_back(std::move(*answer.mutable_assignment())); });
  if (!listed) return std::unexpected(listed.error());
  return result;
}

Result<> Client::set_policies(const std::vector<apipb::Policy>& policies) {
  apipb::SetPoliciesRequest request;
  for (const apipb::Policy& policy : policies) *request.add_policies() = policy;
  return tell(connection_, "SetPolicies", &Stub::SetPolicies, request);
}

Result<> Client::assign_policy(const apipb::PolicyAssignment& assignment) {
  apipb::SetPolicyAssignmentRequest request;
  *request.mutable_assignment() = assignment;
  request.mutable_assignment()->set_name(kGlobalTable);
  return tell(connection_, "SetPolicyAssignment", &Stub::SetPolicyAssignment, request);
}

}  // namespace guideway::gobgp
