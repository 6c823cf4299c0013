// SPDX-License-Identifier: Apache-2.0
#include "las/plan/order.hpp"

#include <set>

namespace las::plan {

std::vector<std::string> dependency_order(
    const std::map<std::string, std::vector<std::string>>& needs) {
  std::map<std::string, std::set<std::string>> users;
  std::map<std::string, std::size_t> open;  // needs that have no place yet
  for (const auto& [name, needed] : needs) {
    std::size_t& count = open[name];
    for (const std::string& other : needed) {
      if (other != name && needs.count(other) > 0 && users[other].insert(name).second)
        ++count;
    }
  }
  std::set<std::string> ready;
  for (const auto& [name, count] : open) {
    if (count == 0)
      ready.insert(name);
  }
  std::vector<std::string> order;
  while (!open.empty()) {
    const std::string name = ready.empty() ? open.begin()->first : *ready.begin();
    ready.erase(name);
    open.erase(name);
    order.push_back(name);
    for (const std::string& user : users[name]) {
      const auto found = open.find(user);
      if (found != open.end() && found->second > 0 && --found->second == 0)
        ready.insert(user);
    }
  }
  return order;
}

}  // namespace las::plan
