// SPDX-License-Identifier: Apache-2.0
#include "block_sharing.hpp"

#include "support/catch.hpp"

using las::model::can_share_blocks;

namespace {
constexpr const char* kMounts =
    "22 1 259:2 / / rw,relatime shared:1 - ext4 /dev/nvme0n1p2 rw\n"
    "23 22 0:21 / /proc rw,nosuid shared:5 - proc proc rw\n"
    "30 22 0:35 /@data /data rw,relatime shared:9 - btrfs /dev/sda1 rw,subvol=/@data\n"
    "31 22 0:35 /@more /my\\040models rw,relatime - btrfs /dev/sda1 rw,subvol=/@more\n"
    "32 30 8:33 / /data/slow rw - ext4 /dev/sdc1 rw\n"
    "33 22 8:49 / /over rw - ext4 /dev/sdd1 rw\n"
    "34 33 8:50 / /over rw master:1 propagate_from:2 - xfs /dev/sde1 rw\n"
    "broken line\n";
}

TEST_CASE("blocks are shared only within one mount of a file system that can", "[model]") {
  CHECK(can_share_blocks(kMounts, "/data/a.gguf", "/data/las/models/blobs"));
  CHECK(can_share_blocks(kMounts, "/data", "/data"));
  CHECK(can_share_blocks(kMounts, "/my models/a", "/my models"));
  CHECK(can_share_blocks(kMounts, "/over/a", "/over/b"));
  CHECK_FALSE(can_share_blocks(kMounts, "/home/a.gguf", "/var/lib/las/models/blobs"));
  CHECK_FALSE(can_share_blocks(kMounts, "/data/a.gguf", "/var/lib/las/models/blobs"));
  CHECK_FALSE(can_share_blocks(kMounts, "/data/a.gguf", "/my models"));
  CHECK_FALSE(can_share_blocks(kMounts, "/data/slow/a.gguf", "/data/las"));
  CHECK_FALSE(can_share_blocks(kMounts, "/data/slow/a.gguf", "/data/slow/las"));
  CHECK_FALSE(can_share_blocks(kMounts, "/database/a.gguf", "/data"));
  CHECK_FALSE(can_share_blocks("", "/data/a.gguf", "/data"));
}
