// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

namespace las::platform {

/// Whether the kernel runs a program on what comes in to the sockets of a control group (version 2;
/// its folder), as systemd has it do for IPAddressDeny=. False also where the kernel cannot, or
/// does not let the caller ask: only root's answer says anything. Source: bpf(2), BPF_PROG_QUERY.
bool filters_what_comes_in(const std::filesystem::path& control_group);

}  // namespace las::platform
