// SPDX-License-Identifier: Apache-2.0
#include "las/platform/address_filter.hpp"

#include "descriptor.hpp"

#include <cstdint>

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace las::platform {

bool filters_what_comes_in(const std::filesystem::path& control_group) {
  const Descriptor folder(::open(control_group.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder)
    return false;
  bpf_attr question{};
  question.query.target_fd = static_cast<std::uint32_t>(folder.get());
  question.query.attach_type = BPF_CGROUP_INET_INGRESS;
  // Those of the groups around it count.
  question.query.query_flags = BPF_F_QUERY_EFFECTIVE;
  return ::syscall(SYS_bpf, BPF_PROG_QUERY, &question, sizeof question) == 0 &&
         question.query.prog_cnt > 0;
}

}  // namespace las::platform
