// SPDX-License-Identifier: Apache-2.0
#include "las/platform/systemd_bus.hpp"

#include "sd_bus_message.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"

#include <cstdlib>
#include <map>

#include <unistd.h>

namespace las::platform {

namespace {

constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr std::uint64_t kSliceUs = 100'000;              // how long a stop request may go unnoticed
constexpr std::uint64_t kUsualTimeoutUs = 0;             // sd-bus's own (25 s)
constexpr std::uint64_t kReloadTimeoutUs = 180'000'000;  // generators may be slow; as systemctl's

class SdBus : public SystemdBus {
 public:
  explicit SdBus(BusPointer bus) : bus_(std::move(bus)) {}

  ~SdBus() override {
    // Before the bus goes: the slot calls into this object.
    LibSystemd::get().slot_unref(job_slot_);
  }

  void reload() override {
    const auto call = make_call(bus_.get(), kManagerPath, kManager, "Reload");
    send_call(bus_.get(), call, kReloadTimeoutUs, _("systemd cannot reload its units"), {});
  }

  void start(const std::string& unit, const Activity& activity) override {
    run_job("StartUnit", unit, _("the service did not start"), activity);
  }

  void stop(const std::string& unit, const Activity& activity) override {
    run_job("StopUnit", unit, _("the service did not stop"), activity);
  }

  void restart(const std::string& unit, const Activity& activity) override {
    run_job("RestartUnit", unit, _("the service did not restart"), activity);
  }

  void enable(const std::vector<std::string>& units) override {
    const auto call = make_call(bus_.get(), kManagerPath, kManager, "EnableUnitFiles");
    append_strings(call, units);
    append_boolean(call, false);  // not only until the next boot
    append_boolean(call, false);  // a link of the same name that leads elsewhere is not las's
    send_call(
        bus_.get(), call, kReloadTimeoutUs, _("systemd cannot enable the unit"), first(units));
    reload();
  }

  void disable(const std::vector<std::string>& units) override {
    const auto call = make_call(bus_.get(), kManagerPath, kManager, "DisableUnitFiles");
    append_strings(call, units);
    append_boolean(call, false);
    send_call(
        bus_.get(), call, kReloadTimeoutUs, _("systemd cannot disable the unit"), first(units));
    reload();
  }

  void reset_failed(const std::string& unit) override {
    const auto call = make_call(bus_.get(), kManagerPath, kManager, "ResetFailedUnit");
    append_string(call, unit);
    send_call(
        bus_.get(), call, kUsualTimeoutUs, _("systemd cannot forget the unit's failure"), unit);
  }

  UnitProperties properties(const std::string& unit) override {
    const auto call = make_call(bus_.get(), kManagerPath, kManager, "LoadUnit");
    append_string(call, unit);
    const std::string path =
        read_path(send_call(bus_.get(), call, kUsualTimeoutUs, _("cannot ask systemd"), unit));
    PropertyMap found;
    get_all(path, "org.freedesktop.systemd1.Unit", unit, found);
    if (unit.ends_with(".service"))
      get_all(path, "org.freedesktop.systemd1.Service", unit, found);
    if (unit.ends_with(".slice"))
      get_all(path, "org.freedesktop.systemd1.Slice", unit, found);

    UnitProperties result;
    result.load_state = found.text("LoadState");
    result.active_state = found.text("ActiveState");
    result.sub_state = found.text("SubState");
    result.result = found.text("Result");
    result.fragment_path = found.text("FragmentPath");
    result.unit_file_state = found.text("UnitFileState");
    result.main_pid = static_cast<std::uint32_t>(found.number("MainPID"));
    const auto status = found.signed_numbers.find("ExecMainStatus");
    if (status != found.signed_numbers.end())
      result.exec_main_status = static_cast<std::int32_t>(status->second);
    result.restarts = static_cast<std::uint32_t>(found.number("NRestarts"));
    result.active_since_us = found.number("ActiveEnterTimestamp");
    result.memory_current = found.measure("MemoryCurrent");
    result.cpu_usage_ns = found.measure("CPUUsageNSec");
    return result;
  }

  std::string version() override {
    BusError error;
    char* text = nullptr;
    const int result = LibSystemd::get().get_property_string(
        bus_.get(), kSystemdDestination, kManagerPath, kManager, "Version", error.get(), &text);
    if (result < 0)
      throw error.to_error(result, _("cannot ask systemd"), "Version");
    const std::unique_ptr<char, decltype(&std::free)> owned(text, &std::free);
    return owned.get();
  }

 private:
  static std::string first(const std::vector<std::string>& units) {
    return units.empty() ? "" : units.front();
  }

  static int on_job_removed(sd_bus_message* message, void* self, sd_bus_error*) {
    std::uint32_t id = 0;
    const char* path = nullptr;
    const char* unit = nullptr;
    const char* result = nullptr;
    const int read = LibSystemd::get().message_read(message, "uoss", &id, &path, &unit, &result);
    if (read < 0)
      return 0;  // not for us; an error here would only be logged by sd-bus
    auto& bus = *static_cast<SdBus*>(self);
    // Only while somebody waits: other people's jobs would pile up here.
    if (bus.collecting_)
      bus.finished_jobs_[path] = result;
    return 0;
  }

  void subscribe() {
    if (subscribed_)
      return;
    // A direct connection has no bus that could vouch for a sender.
    const char* sender =
        LibSystemd::get().is_bus_client(bus_.get()) > 0 ? kSystemdDestination : nullptr;
    job_slot_ = LibSystemd::get().slot_unref(job_slot_);
    const int result = LibSystemd::get().match_signal(bus_.get(),
                                                      &job_slot_,
                                                      sender,
                                                      kManagerPath,
                                                      kManager,
                                                      "JobRemoved",
                                                      &SdBus::on_job_removed,
                                                      this);
    if (result < 0)
      throw system_error(-result, _("cannot listen to systemd"));
    // Without a subscriber systemd sends no signals at all.
    const auto call = make_call(bus_.get(), kManagerPath, kManager, "Subscribe");
    send_call(bus_.get(), call, kUsualTimeoutUs, _("cannot listen to systemd"), {});
    subscribed_ = true;
  }

  void run_job(const char* method,
               const std::string& unit,
               const std::string& message,
               const Activity& activity) {
    activity.cancellation.throw_if_requested();
    subscribe();
    collecting_ = true;
    finished_jobs_.clear();

    struct StopCollecting {
      bool& collecting;

      ~StopCollecting() { collecting = false; }
    } const guard{collecting_};

    const auto call = make_call(bus_.get(), kManagerPath, kManager, method);
    append_string(call, unit);
    append_string(call, "replace");
    const std::string job = read_path(send_call(bus_.get(), call, kUsualTimeoutUs, message, unit));
    const std::string result = wait_for_job(job, unit, message, activity);
    if (result != "done")
      throw Error(ErrorKind::Io, message, unit).cause(result);
  }

  std::string wait_for_job(const std::string& job,
                           const std::string& unit,
                           const std::string& message,
                           const Activity& activity) {
    while (true) {
      const int processed = LibSystemd::get().process(bus_.get(), nullptr);
      if (processed < 0)
        throw system_error(-processed, message, unit);
      const auto found = finished_jobs_.find(job);
      if (found != finished_jobs_.end())
        return found->second;
      activity.cancellation.throw_if_requested();
      if (processed > 0)
        continue;  // there may be more in the queue
      const int waited = LibSystemd::get().wait(bus_.get(), kSliceUs);
      if (waited < 0 && waited != -EINTR)
        throw system_error(-waited, message, unit);
    }
  }

  void get_all(const std::string& path,
               const char* interface,
               const std::string& unit,
               PropertyMap& properties) {
    const auto call =
        make_call(bus_.get(), path.c_str(), "org.freedesktop.DBus.Properties", "GetAll");
    append_string(call, interface);
    const auto reply = send_call(bus_.get(), call, kUsualTimeoutUs, _("cannot ask systemd"), unit);
    read_properties(reply.get(), properties);
  }

  BusPointer bus_;
  sd_bus_slot* job_slot_ = nullptr;
  bool subscribed_ = false, collecting_ = false;
  std::map<std::string, std::string> finished_jobs_;
};

}  // namespace

std::unique_ptr<SystemdBus> make_systemd_bus(BusPointer bus) {
  return std::make_unique<SdBus>(std::move(bus));
}

namespace {

BusPointer open_message_bus(Scope scope) {
  sd_bus* bus = nullptr;
  const int result = scope == Scope::System ? LibSystemd::get().open_system(&bus)
                                            : LibSystemd::get().open_user(&bus);
  return BusPointer(result < 0 ? nullptr : bus);
}

// systemd's own socket, for machines without a message bus daemon. Only root may use it.
BusPointer open_private_socket() {
  sd_bus* raw = nullptr;
  if (LibSystemd::get().new_bus(&raw) < 0)
    return nullptr;
  BusPointer bus(raw);
  if (LibSystemd::get().set_address(bus.get(), "unix:path=/run/systemd/private") < 0 ||
      LibSystemd::get().start(bus.get()) < 0)
    return nullptr;
  return bus;
}

// A bus is there; whether systemd answers on it is another question (a session bus in a container).
std::unique_ptr<SystemdBus> if_systemd_answers(BusPointer bus) {
  if (!bus)
    return nullptr;
  auto systemd = make_systemd_bus(std::move(bus));
  try {
    static_cast<void>(systemd->version());
  } catch (const Error&) {
    return nullptr;
  }
  return systemd;
}

}  // namespace

std::unique_ptr<SystemdBus> connect_systemd(Scope scope) {
  // What sd_booted(3) asks: the folder exists only where systemd is the init of this system.
  if (::access("/run/systemd/system", F_OK) != 0)
    return nullptr;
  if (auto systemd = if_systemd_answers(open_message_bus(scope)))
    return systemd;
  if (scope == Scope::System && ::geteuid() == 0)
    return if_systemd_answers(open_private_socket());
  return nullptr;
}

bool lingers(const FileReader& files, const Environment& environment) {
  return files.exists(std::filesystem::path("/var/lib/systemd/linger") / environment.user);
}

}  // namespace las::platform
