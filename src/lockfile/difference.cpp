// SPDX-License-Identifier: Apache-2.0
#include "las/lockfile/difference.hpp"

#include "las/base/i18n.hpp"
#include "las/base/text.hpp"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>

namespace las::lockfile {

namespace {

using Kind = Difference::Kind;

std::string joined(const std::map<std::string, std::string>& texts) {
  std::vector<std::string> parts;
  for (const auto& [key, value] : texts)
    parts.push_back(key + "=" + value);
  return text::join(parts, " ");
}

std::string joined(const std::vector<state::InstalledArtifact>& artifacts) {
  std::vector<std::string> parts;
  for (const state::InstalledArtifact& artifact : artifacts)
    parts.push_back(artifact.digest.to_string() + " " + artifact.from);
  return text::join(parts, ", ");
}

std::string title_of(const Module& module) {
  return module.variant.empty() ? module.exact_version()
                                : module.exact_version() + " (" + module.variant + ")";
}

std::string title_of(const state::WorldEntry& wish) {
  std::vector<std::string> parts;
  for (const std::string& part : {wish.range, wish.variant, wish.mode}) {
    if (!part.empty())
      parts.push_back(part);
  }
  if (wish.held)
    parts.emplace_back("hold");
  if (!wish.wished)
    parts.emplace_back("not wished for");
  return parts.empty() ? _("any") : text::join(parts, ", ");
}

// Collects the differences of one subject.
class Comparison {
 public:
  Comparison(Kind kind, std::string subject, std::vector<Difference>& out)
      : kind_(kind), subject_(std::move(subject)), out_(out) {}

  void missing(const std::string& wanted) { add("missing", wanted, ""); }

  void extra(const std::string& present, bool is_drift = true) {
    add("extra", "", present, is_drift);
  }

  void compare(const char* what,
               const std::string& wanted,
               const std::string& present,
               bool is_drift = true) {
    if (wanted != present)
      add(what, wanted, present, is_drift);
  }

  void add(const char* what, std::string wanted, std::string present, bool is_drift = true) {
    out_.push_back({kind_, subject_, what, std::move(wanted), std::move(present), is_drift});
  }

 private:
  Kind kind_;
  std::string subject_;
  std::vector<Difference>& out_;
};

const state::WorldEntry* find_wish(const Document& document, const std::string& name) {
  const auto found = std::find_if(document.world.begin(),
                                  document.world.end(),
                                  [&](const auto& wish) { return wish.module == name; });
  return found == document.world.end() ? nullptr : &*found;
}

void compare_locked_modules(const Document& wanted,
                            const Document& present,
                            std::vector<Difference>& out) {
  for (const Module& module : wanted.modules) {
    Comparison comparison(Kind::Module, module.name, out);
    const Module* there = present.find_module(module.name);
    if (there == nullptr) {
      comparison.missing(title_of(module));
      continue;
    }
    comparison.compare("version", module.exact_version(), there->exact_version());
    comparison.compare("variant", module.variant, there->variant);
    comparison.compare("mode", module.mode, there->mode);
    comparison.compare("reason",
                       std::string(state::to_string(module.reason)),
                       std::string(state::to_string(there->reason)));
    // Of another build everything else differs as well.
    if (!module.version.contains(Version(there->exact_version())) ||
        module.variant != there->variant || module.mode != there->mode)
      continue;
    comparison.compare("source", module.source.kind, there->source.kind);
    // An older record does not say what it is made of, so nothing can be asked for.
    if (!module.source.artifacts.empty())
      comparison.compare(
          "artifacts", joined(module.source.artifacts), joined(there->source.artifacts));
    // Which version its packages have is the distribution's choice.
    comparison.compare(
        "packages", joined(module.source.packages), joined(there->source.packages), false);
  }
  for (const Module& module : present.modules) {
    if (wanted.find_module(module.name) == nullptr)
      Comparison(Kind::Module, module.name, out).extra(title_of(module));
  }
  for (const state::WorldEntry& wish : wanted.world) {
    Comparison comparison(Kind::Wish, wish.module, out);
    if (const state::WorldEntry* there = find_wish(present, wish.module))
      comparison.compare("wish", title_of(wish), title_of(*there));
    else
      comparison.missing(title_of(wish));
  }
  for (const state::WorldEntry& wish : present.world) {
    if (find_wish(wanted, wish.module) == nullptr)
      Comparison(Kind::Wish, wish.module, out).extra(title_of(wish));
  }
}

void compare_wished_modules(const Document& wanted,
                            const Document& present,
                            Prune prune,
                            std::vector<Difference>& out) {
  for (const Module& module : wanted.modules) {
    Comparison comparison(Kind::Module, module.name, out);
    const Module* there = present.find_module(module.name);
    const state::WorldEntry wish{module.name,
                                 module.version.to_string(),
                                 module.variant,
                                 module.mode,
                                 module.hold.value_or(false),
                                 true};
    if (there == nullptr) {
      comparison.missing(title_of(wish));
      continue;
    }
    if (!module.version.contains(Version(there->exact_version())))
      comparison.add("version", module.version.to_string(), there->exact_version());
    if (!module.variant.empty())
      comparison.compare("variant", module.variant, there->variant);
    if (!module.mode.empty())
      comparison.compare("mode", module.mode, there->mode);
    Comparison recorded(Kind::Wish, module.name, out);
    state::WorldEntry expected = wish;
    const state::WorldEntry* known = find_wish(present, module.name);
    if (!module.hold && known != nullptr)
      expected.held = known->held;
    if (known == nullptr)
      recorded.missing(title_of(expected));
    else
      recorded.compare("wish", title_of(expected), title_of(*known));
  }
  if (prune == Prune::No)
    return;
  for (const state::WorldEntry& wish : present.world) {
    if (wish.wished && wanted.find_module(wish.module) == nullptr)
      Comparison(Kind::Wish, wish.module, out).extra(title_of(wish));
  }
}

void compare_models(const Document& wanted,
                    const Document& present,
                    Prune prune,
                    std::vector<Difference>& out) {
  for (const Model& model : wanted.models) {
    Comparison comparison(Kind::Model, model.name, out);
    const Model* there = present.find_model(model.name);
    const std::string digest = model.digest ? model.digest->to_string() : "";
    if (there == nullptr)
      comparison.missing(digest.empty() ? model.path : digest);
    else if (!digest.empty())
      comparison.compare("digest", digest, there->digest ? there->digest->to_string() : "");
  }
  for (const Model& model : present.models) {
    if (wanted.find_model(model.name) == nullptr)
      Comparison(Kind::Model, model.name, out)
          .extra(model.digest ? model.digest->to_string() : "", prune == Prune::Yes);
  }
}

std::string running(bool value) {
  return value ? "running" : "stopped";
}

void compare_services(const Document& wanted,
                      const Document& present,
                      Prune prune,
                      std::vector<Difference>& out) {
  const bool is_lock = wanted.kind == Document::Kind::Lock;
  for (const Service& service : wanted.services) {
    Comparison comparison(Kind::Service, service.name, out);
    const Service* there = present.find_service(service.name);
    if (there == nullptr) {
      comparison.missing(service.model.empty() ? service.engine : service.model);
      continue;
    }
    comparison.compare("model", service.model, there->model);
    if (!service.engine.empty())
      comparison.compare("engine", service.engine, there->engine);
    // A las.yaml pins content where it pins the model: what is served is to be that.
    const Model* model = wanted.find_model(service.model);
    const auto digest = is_lock            ? service.model_digest
                        : model != nullptr ? model->digest
                                           : std::optional<Digest>();
    if (digest)
      comparison.compare("model_digest",
                         digest->to_string(),
                         there->model_digest ? there->model_digest->to_string() : "");
    if (!service.host.empty())
      comparison.compare("host", service.host, there->host);
    if (service.port)
      comparison.compare(
          "port", std::to_string(*service.port), there->port ? std::to_string(*there->port) : "");
    if (service.options)
      comparison.compare("options",
                         joined(*service.options),
                         joined(there->options.value_or(std::map<std::string, std::string>())));
    comparison.compare("state", running(service.running), running(there->running));
  }
  if (!is_lock && prune == Prune::No)
    return;
  for (const Service& service : present.services) {
    if (wanted.find_service(service.name) == nullptr)
      Comparison(Kind::Service, service.name, out)
          .extra(service.model.empty() ? service.engine : service.model);
  }
}

void compare_policies(const Document& wanted,
                      const Document& present,
                      std::vector<Difference>& out) {
  const auto digest_in = [](const Document& document, const PolicyDocument& policy) {
    for (const PolicyDocument& one : document.policies) {
      if (one.name == policy.name && one.layer == policy.layer)
        return one.digest.to_string();
    }
    return std::string();
  };
  for (const PolicyDocument& policy : wanted.policies)
    Comparison(Kind::Policy, policy.name, out)
        .compare("policy", policy.digest.to_string(), digest_in(present, policy), false);
  for (const PolicyDocument& policy : present.policies) {
    if (digest_in(wanted, policy).empty())
      Comparison(Kind::Policy, policy.name, out).extra(policy.digest.to_string(), false);
  }
}

}  // namespace

std::string_view to_string(Difference::Kind kind) {
  switch (kind) {
    case Kind::Module:
      return "module";
    case Kind::Wish:
      return "wish";
    case Kind::Model:
      return "model";
    case Kind::Service:
      return "service";
    case Kind::Policy:
      return "policy";
  }
  return "module";
}

std::string describe(const Difference& difference) {
  const std::string head = fmt::format("{} {}", to_string(difference.kind), difference.subject);
  if (difference.what == "missing")
    return difference.wanted.empty()
               ? fmt::format(fmt::runtime(_("{}: missing")), head)
               : fmt::format(fmt::runtime(_("{}: missing, wanted {}")), head, difference.wanted);
  if (difference.what == "extra")
    return fmt::format(
        fmt::runtime(_("{}: not in the file, present {}")), head, difference.present);
  return fmt::format(fmt::runtime(_("{}: {} is {}, wanted {}")),
                     head,
                     difference.what,
                     difference.present.empty() ? _("none") : difference.present,
                     difference.wanted.empty() ? _("none") : difference.wanted);
}

std::vector<Difference> difference(const Document& wanted, const Document& present, Prune prune) {
  std::vector<Difference> out;
  if (wanted.kind == Document::Kind::Lock) {
    compare_locked_modules(wanted, present, out);
    compare_policies(wanted, present, out);
  } else {
    compare_wished_modules(wanted, present, prune, out);
  }
  compare_models(wanted, present, prune, out);
  compare_services(wanted, present, prune, out);
  std::stable_sort(out.begin(), out.end(), [](const Difference& a, const Difference& b) {
    return std::tie(a.kind, a.subject) < std::tie(b.kind, b.subject);
  });
  return out;
}

bool has_drift(const std::vector<Difference>& differences) {
  return std::any_of(
      differences.begin(), differences.end(), [](const Difference& d) { return d.is_drift; });
}

}  // namespace las::lockfile
