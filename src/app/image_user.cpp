// SPDX-License-Identifier: Apache-2.0
#include "image_user.hpp"

#include "containers.hpp"

#include "las/base/error.hpp"
#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <vector>

namespace las::app {

namespace fs = std::filesystem;

namespace {

bool is_number(std::string_view text) {
  return !text.empty() && text.size() < 11 &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

// The fields of the line of a passwd(5) or group(5) file whose field `place` is `wanted`.
std::vector<std::string> entry(std::string_view file, std::size_t place, std::string_view wanted) {
  constexpr std::size_t kFields = 3;  // of a group those that are needed, its members may lack
  for (const std::string& line : text::lines(file)) {
    auto fields = text::split(line, ':');
    if (fields.size() >= kFields && fields[place] == wanted)
      return fields;
  }
  return {};
}

// Copies a file out of the image; "" where it has none.
std::string file_of(Session& session,
                    const platform::ContainerEngine& engine,
                    const std::string& container,
                    const std::string& file,
                    const Activity& activity) {
  const fs::path copy = session.layout().run / "of-an-image";
  session.files().make_directories(copy.parent_path());
  // Whatever an image has by this name, also one that an earlier look could not read.
  session.files().remove_tree(copy);
  try {
    ask_engine(session, engine, {"cp", "-L", container + ":" + file, copy.string()}, activity);
  } catch (const Error& error) {
    activity.debug("service", error.what());
    return {};
  }
  const std::string content = session.files().read_file(copy);
  session.files().remove_tree(copy);
  return content;
}

}  // namespace

std::string resolve_image_user(std::string_view user,
                               std::string_view passwd,
                               std::string_view group) {
  const auto colon = user.find(':');
  const std::string_view name = user.substr(0, colon);
  const std::string_view group_name =
      colon == std::string_view::npos ? std::string_view() : user.substr(colon + 1);
  constexpr std::size_t kName = 0, kId = 2, kGroup = 3;
  std::string uid(name.empty() ? "0" : name), gid = "0";
  const auto account = entry(passwd, is_number(uid) ? kId : kName, uid);
  if (account.size() > kGroup) {
    uid = account[kId];
    gid = account[kGroup];
  }
  if (!group_name.empty()) {
    gid = group_name;
    if (!is_number(gid)) {
      const auto found = entry(group, kName, gid);
      gid = found.empty() ? "" : found[kId];
    }
  }
  if (uid == "root")
    uid = "0";
  if (!is_number(uid) || !is_number(gid))
    throw Error(
        ErrorKind::InvalidData, _("the image has no such user of its own"), std::string(user));
  return uid == "0" ? "" : uid + ":" + gid;
}

std::string image_user(Session& session,
                       const platform::ContainerEngine& engine,
                       const std::string& image,
                       const Activity& activity) {
  const std::string said = ask_engine(
      session, engine, {"image", "inspect", "--format", "{{.Config.User}}", image}, activity);
  const std::string user = said == "<no value>" ? "" : said;
  if (user.empty() || engine.gives_data_away())
    return user == "root" || user == "0" || user.starts_with("0:") || user.starts_with("root:")
               ? ""
               : user;
  // It is never started; but one without any command cannot be made.
  const std::string container =
      ask_engine(session, engine, {"create", "--network=none", image, "/none"}, activity);
  std::string passwd, group;
  try {
    passwd = file_of(session, engine, container, "/etc/passwd", activity);
    group = file_of(session, engine, container, "/etc/group", activity);
  } catch (...) {
    ask_engine(session, engine, engine.remove(container), activity);
    throw;
  }
  ask_engine(session, engine, engine.remove(container), activity);
  return resolve_image_user(user, passwd, group);
}

}  // namespace las::app
