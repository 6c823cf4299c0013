// SPDX-License-Identifier: Apache-2.0
#include "las/app/clean.hpp"

#include "las/app/verify.hpp"

namespace las::app {

transaction::Survey plan_collection(Session& session,
                                    const transaction::GarbageRules& rules,
                                    const Activity& activity) {
  return transaction::survey_garbage(session.surroundings(activity), rules);
}

transaction::Collected collect(Session& session,
                               const transaction::GarbageRules& rules,
                               const std::vector<transaction::Garbage>& wanted,
                               const Activity& activity) {
  writer_that_looks(session, activity);
  return transaction::collect_garbage(
      session.surroundings(activity), rules, wanted, session.command_line(), activity);
}

std::vector<CachePart> cache_parts(Session& session) {
  std::vector<CachePart> parts;
  const auto status = session.files().status(session.layout().cache);
  if (!status || status->kind != platform::FileKind::Directory)
    return parts;
  for (const std::string& name : session.files().list_directory(session.layout().cache)) {
    const auto path = session.layout().cache / name;
    if (const ByteSize size = platform::tree_size(session.files(), path); size != ByteSize())
      parts.push_back({path, size});
  }
  return parts;
}

void clean(Session& session, const std::vector<CachePart>& parts, const Activity& activity) {
  session.writer(activity);
  for (const CachePart& part : parts) {
    activity.cancellation.throw_if_requested();
    session.files().remove_tree(part.path);
  }
}

}  // namespace las::app
