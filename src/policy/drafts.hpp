// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/document/node.hpp"
#include "las/policy/policy.hpp"

#include <vector>

namespace las::policy {

/// A rule as its document has it, with the node to tell further faults at.
struct Draft {
  Rule rule;
  document::Node node;
  bool faulty = false;
};

/// The rules of one document, faulty ones too: their names are not unknown to other rules.
std::vector<Draft> parse_document(const Document& document, Diagnostics& diagnostics);

/// Makes rules of the drafts of all documents, as load_rules describes it.
std::vector<Rule> link(std::vector<Draft>& drafts, Diagnostics& diagnostics);

/// Tells what in `conditions` no machine can meet, each with the two conditions that exclude each
/// other. Returns whether there is such a thing.
bool find_contradictions(const Condition& conditions, Diagnostics& diagnostics);

}  // namespace las::policy
