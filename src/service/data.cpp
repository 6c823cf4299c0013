// SPDX-License-Identifier: Apache-2.0
#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/platform/container_engine.hpp"
#include "las/service/supervisor.hpp"

#include <algorithm>
#include <charconv>

namespace las::service {
namespace {

namespace fs = std::filesystem;

/// Whether `target` is where systemd keeps the state directory `link` of a dynamic user:
/// <base>/private/<rest> for <base>/<rest>.
bool is_private_twin(const fs::path& target, const fs::path& link) {
  fs::path without_private;
  bool found = false;
  for (const fs::path& part : target) {
    if (part == "private" && !found)
      found = true;
    else
      without_private /= part;
  }
  return found && without_private == link;
}

}  // namespace

std::optional<fs::path> data_folder(const platform::FileReader& files, const fs::path& directory) {
  const auto status = files.status(directory);
  if (!status)
    return std::nullopt;
  if (status->kind != platform::FileKind::Symlink)
    return directory;
  const fs::path link = directory.lexically_normal();
  const fs::path target = (link.parent_path() / files.read_symlink(directory)).lexically_normal();
  if (!is_private_twin(target, link))
    throw Error(
        ErrorKind::Io, _("this data directory is a link that leads elsewhere"), directory.string())
        .cause(target.string())
        .hint(_("move what it leads to into its place"));
  if (!files.exists(target))
    return std::nullopt;
  return target;
}

ByteSize data_size(const platform::FileReader& files, const fs::path& directory) {
  try {
    const auto folder = data_folder(files, directory);
    return folder ? platform::tree_size(files, *folder) : ByteSize();
  } catch (const Error&) {
    return {};  // not las's to count
  }
}

std::optional<DataOwner> owner_of_data(const state::ServiceInstance& service) {
  if (!service.container || service.data_directory.empty() ||
      platform::container_engine(service.container->engine).gives_data_away())
    return std::nullopt;
  DataOwner owner;
  const std::string& user = service.container->user;
  if (user.empty())
    return owner;
  const char* const end = user.data() + user.size();
  const auto first = std::from_chars(user.data(), end, owner.uid);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ':' ||
      std::from_chars(first.ptr + 1, end, owner.gid).ptr != end)
    throw Error(ErrorKind::CorruptState, _("a record has no such user"), user);
  return owner;
}

void purge_data(platform::FileSystem& files, const fs::path& directory) {
  if (const auto folder = data_folder(files, directory))
    files.remove_tree(*folder);
  const auto status = files.status(directory);
  if (status && status->kind == platform::FileKind::Symlink)
    files.remove_file(directory);
}

void purge_data_of_users(platform::FileSystem& files,
                         platform::ProcessRunner& processes,
                         const platform::Environment& environment,
                         const fs::path& directory,
                         const Activity& activity) {
  try {
    purge_data(files, directory);
    return;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::Permission || environment.uid == 0)
      throw;
  }
  for (const platform::ContainerEngine* engine : platform::container_engines()) {
    platform::Command command;
    command.argv =
        engine->as_its_users({"rm", "-rf", "--one-file-system", "--", directory.string()});
    if (command.argv.empty() ||
        !processes.find_program(engine->name(), environment.get("PATH").value_or("")))
      continue;
    command.argv.insert(command.argv.begin(), engine->name());
    command.environment = environment.variables;
    processes.run(command, activity);
  }
  purge_data(files, directory);
}

}  // namespace las::service
