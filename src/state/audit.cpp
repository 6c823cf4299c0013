// SPDX-License-Identifier: Apache-2.0
// The audit trail: a chain of entries that can only grow.
#include "tables.hpp"

#include "las/base/i18n.hpp"
#include "las/platform/hasher.hpp"
#include "las/state/store.hpp"

#include <fmt/format.h>

namespace las::state {

std::string audit_hash(const AuditEntry& entry) {
  std::string members;
  for (const std::string& member : {std::to_string(entry.number),
                                    entry.at,
                                    entry.user,
                                    entry.sudo_user,
                                    entry.operation_id,
                                    entry.event,
                                    entry.subject,
                                    entry.detail,
                                    entry.previous}) {
    members += member;
    members += '\0';
  }
  return platform::digest_of(members).hex();
}

std::vector<AuditFault> check_audit(const std::vector<AuditEntry>& entries) {
  std::vector<AuditFault> faults;
  std::string previous;
  std::uint64_t number = 1;
  for (const AuditEntry& entry : entries) {
    if (entry.number != number)
      faults.push_back({entry.number, fmt::format(fmt::runtime(_("entry {} is missing")), number)});
    else if (entry.previous != previous)
      faults.push_back({entry.number, _("it does not follow from the entry before")});
    if (entry.hash != audit_hash(entry))
      faults.push_back({entry.number, _("it was changed after it was written")});
    previous = entry.hash;
    number = entry.number + 1;
  }
  return faults;
}

void WriteTransaction::add_audit(const std::string& event,
                                 const std::string& subject,
                                 const std::string& detail) {
  const auto before = tables::last<AuditEntry>(handle_->reader, lmdb::Table::Audit);
  AuditEntry entry;
  entry.number = before ? before->number + 1 : 1;
  entry.previous = before ? before->hash : "";
  if (const Actor* actor = handle_->actor) {
    entry.user = actor->user;
    entry.sudo_user = actor->sudo_user;
    entry.operation_id = actor->operation_id;
    if (actor->clock != nullptr)
      entry.at = platform::to_iso8601(actor->clock->now());
  }
  entry.event = event;
  entry.subject = subject;
  entry.detail = detail;
  entry.hash = audit_hash(entry);
  handle_->writer->put(
      lmdb::Table::Audit, tables::number_key(entry.number), record_json::encode(entry));
}

}  // namespace las::state
