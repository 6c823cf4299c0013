// SPDX-License-Identifier: Apache-2.0
#include "explain.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <fmt/format.h>

namespace las::policy {

namespace {

using Kind = Condition::Kind;

std::string with(const std::string& format, const std::string& value) {
  return fmt::format(fmt::runtime(format), value);
}

std::string mend_driver(const Facts& facts) {
  const NamedFact& state = facts.get("gpu.driver_state");
  const std::string value = state.text.value.value_or("");
  if (value == "mismatch")
    return _("reboot: the driver was upgraded while its old kernel module is still loaded");
  if (value == "none" || value == "nouveau")
    return _("install the driver of the GPU's vendor and reboot");
  if (value == "broken")
    return _("look for the driver's complaint with: journalctl -k");
  if (value == "reserved")
    return _("give the GPU back to this system (it is bound for virtual machines)");
  return {};
}

std::string more_memory(const Facts& facts, const std::string& size) {
  const auto total = ByteSize::parse(facts.get("memory.total").text.value.value_or(""));
  const auto effective = ByteSize::parse(facts.get("memory.effective").text.value.value_or(""));
  if (total && effective && *effective < *total)
    return fmt::format(
        fmt::runtime(_("a memory limit of {} or more for this container or service; the machine "
                       "itself has {}")),
        size,
        total->to_string());
  return with(_("{} of memory"), size);
}

}  // namespace

std::string remedy(const Shortfall::Item& item, const Facts& facts) {
  const Condition& comparison = *item.comparison;
  const std::string& fact = comparison.fact;
  const std::string value = text::join(comparison.values, _(" or "));
  const bool more = comparison.kind == Kind::Min && item.wanted;
  const bool is = (comparison.kind == Kind::Equal || comparison.kind == Kind::In) && item.wanted;
  const bool known = facts.get(fact).text.is_known();
  if (fact == "gpu.driver_state")
    return mend_driver(facts);
  if (fact.starts_with("gpu.") || fact.starts_with("tools.nvidia")) {
    // A driver that does not work hides what the GPU is: that comes first.
    if (std::string mend = known ? std::string() : mend_driver(facts); !mend.empty())
      return mend;
  }
  if (fact == "tools.nvidia_driver" && more)
    return with(_("NVIDIA driver {} or newer"), value);
  if (fact == "gpu.compute_capability" && more)
    return with(_("a GPU with compute capability {} or newer"), value);
  if (fact == "gpu.vendor" && is)
    return with(_("a GPU of {}"), value);
  if (fact == "gpu.gfx_target" && is)
    return with(_("a GPU of the target {}"), value);
  if (fact == "gpu.count" && more)
    return with(_("{} GPUs of one vendor"), value);
  if (fact == "gpu.nvlink" && is && value == "true")
    return _("GPUs joined by NVLink");
  if (fact == "gpu.vram_total" && more)
    return with(_("GPUs with {} of VRAM together"), value);
  if (fact == "gpu.vram" && more)
    return with(_("a GPU with {} of VRAM"), value);
  if (fact == "memory.effective" && more)
    return more_memory(facts, value);
  if (fact == "cpu.features" && is)
    return with(_("a CPU with {}"), value);
  if (fact == "os.glibc" && more)
    return with(_("a distribution with glibc {} or newer"), value);
  return {};
}

}  // namespace las::policy
