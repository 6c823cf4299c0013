// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "las/base/byte_size.hpp"

namespace las::hardware {

/// Memory is sold in round numbers and reported in less round ones: a 24 GB card shows 24564 MiB,
/// with ECC on 22731 to 23034 MiB; a 32 GB machine keeps 1 to 2 GiB from the system. So a fact of
/// VRAM or memory meets "at least N" from N less 8 %. No two sizes that GPUs are sold with lie so
/// close that one passes for the next (11 and 12 GB, 22 and 24 GB are the nearest). "At most N"
/// stays exact, since nothing reports more than it was sold as: a 24 GB card is at most 24 GB and
/// at least 24 GB. This is the only place that knows the tolerance.
ByteSize marketed_floor(ByteSize nominal);

}  // namespace las::hardware
