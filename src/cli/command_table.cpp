// SPDX-License-Identifier: Apache-2.0
#include "command.hpp"

namespace las::cli {

const std::vector<CommandSpec>& command_table() {
  static constexpr const char* kLook = N_("Look around");
  static constexpr const char* kChange = N_("Install and remove");
  static constexpr const char* kRun = N_("Models and services");
  static constexpr const char* kKeep = N_("History and health of this machine");
  static constexpr const char* kSetup = N_("Settings and scripting");
  static const std::vector<CommandSpec> kTable = {
      {"detect",
       kLook,
       N_("what this machine is and what it can carry"),
       N_("Reads the hardware and the system, evaluates the policies, and tells the tier, the "
          "largest "
          "sensible models, and which engines can run here. A fact that cannot be read is shown as "
          "unknown; nothing is guessed."),
       {{"las detect", N_("for people")},
        {"las detect --json", N_("every fact with the place it was read from")},
        {"las detect --section gpu", N_("one part, every fact of it")},
        {"las detect --save FILE", N_("keep the profile, to plan for this machine elsewhere")},
        {"las detect --capture FILE.tar",
         N_("what detection reads, without serial numbers and addresses, for a bug report")}},
       setup_detect},
      {"search",
       kLook,
       N_("find modules by words in name and description"),
       "",
       {{"las search chat", N_("everything that mentions it")}},
       setup_search},
      {"show",
       kLook,
       N_("everything known about a module"),
       N_("Versions, variants and sources, what it needs, and whether it fits this machine."),
       {{"las show NAME", ""}},
       setup_show},
      {"list",
       kLook,
       N_("installed modules"),
       N_("With --available, every module in the catalog."),
       {{"las list", ""}, {"las list --available", ""}},
       setup_list},
      {"policy", kLook, N_("what the policies say about this machine"), "", {}, nullptr},
      {"policy show",
       kLook,
       N_("the verdict: tier, limits, features, and what is denied"),
       N_("Evaluates the rules that las ships and those of this site (policies.d in the "
          "configuration folder) on this machine, with the overrides that are in force."),
       {{"las policy show", N_("this machine")},
        {"las policy show --hardware FILE", N_("the machine of a saved profile")}},
       setup_policy_show},
      {"policy list",
       kLook,
       N_("all rules: what each gives, whether it holds here, and where it stands"),
       "",
       {{"las policy list", ""}},
       setup_policy_list},
      {"policy explain",
       kLook,
       N_("why something may or may not be used here, and what would help"),
       N_("Names the rule, the fact it looks at, the value and where that was read. Without a "
          "name it explains the tier."),
       {{"las policy explain", N_("the tier")},
        {"las policy explain NAME", N_("a module, an engine or a feature")}},
       setup_policy_explain},
      {"policy test",
       kLook,
       N_("compare the rules with a file of machines and expected verdicts"),
       N_("The file lists machines by their facts (or names profiles that 'las detect --save' "
          "wrote) and what is expected of each. Overrides do not count. Exit status 1 when an "
          "expectation is not met."),
       {{"las policy test machines.yaml", ""}},
       setup_policy_test},
      {"policy lint",
       kLook,
       N_("check policy files together with the rules in force"),
       N_("All faults at once, and whether every machine lands in exactly one tier. Without a "
          "file it checks the rules in force. Exit status 1 when there is a fault."),
       {{"las policy lint", ""}, {"las policy lint my-rules.yaml", ""}},
       setup_policy_lint},

      {"install",
       kChange,
       N_("install modules and what they need"),
       N_("Shows the plan (version, variant, sizes, mode, where from) and asks before anything is "
          "changed. Either all of it is installed, or everything stays as it was."),
       {{"las install NAME", N_("the best build for this machine")},
        {"las install NAME=1.2 --variant vulkan", N_("exactly this one")},
        {"las install --dry-run NAME", N_("only the plan")}},
       setup_install,
       true},
      {"remove",
       kChange,
       N_("remove modules; their data stays"),
       N_("Also removes dependencies that nothing else needs and the services of these modules. "
          "Data of services and models are never touched."),
       {{"las remove NAME", ""}},
       setup_remove,
       true},
      {"upgrade",
       kChange,
       N_("bring installed modules to their newest release"),
       "",
       {{"las upgrade", N_("all of them")}, {"las upgrade NAME", N_("only this one")}},
       setup_upgrade,
       true},

      {"update",
       kChange,
       N_("ask the registries for new manifests"),
       N_("Only what changed is fetched. An index that is not signed by the registry's key, is "
          "older than the one accepted before, or has expired is refused, and the copy here stays "
          "in use. A registry that fails does not keep the others from going on; the exit status "
          "is "
          "then 7, or 6 if one was refused."),
       {{"las update", N_("all of them")},
        {"las update NAME", N_("only this one")},
        {"las update --again NAME", N_("anew, where the copy here is damaged")}},
       setup_update,
       true},
      {"registry", kChange, N_("where manifests come from"), "", {}, nullptr},
      {"registry list",
       kChange,
       N_("all places of manifests; of two with one name the last wins"),
       "",
       {{"las registry list", ""}},
       setup_registry_list},
      {"registry add",
       kChange,
       N_("trust a registry and fetch its manifests"),
       N_("The key decides whose manifests are believed: take it from the registry's keeper, not "
          "from the address itself. KEY is the line that begins with RW, or a .pub file of "
          "minisign. Nothing is changed if the registry cannot be fetched and verified."),
       {{"las registry add NAME https://host/path --key RWQ...", ""},
        {"las registry add NAME file:///srv/registry --key lab.pub", ""}},
       setup_registry_add,
       true},
      {"registry remove",
       kChange,
       N_("forget a registry and its copy"),
       N_("What was installed from it stays."),
       {{"las registry remove NAME", ""}},
       setup_registry_remove,
       true},
      {"registry trust",
       kChange,
       N_("change the key of a registry"),
       N_("Shows the old key and the new one and asks. The index must be signed with the new key. "
          "Versions seen under the old key no longer count, so a keeper whose key was stolen can "
          "begin again."),
       {{"las registry trust NAME --key RWQ...", ""}},
       setup_registry_trust,
       true},
      {"registry verify",
       kChange,
       N_("compare a copy, or a tree, with its signed index"),
       N_("A name is a registry that was added; anything else the folder of a tree, which needs "
          "--key. Exit status 6 when something differs."),
       {{"las registry verify NAME", N_("the copy here")},
        {"las registry verify TREE --key lab.pub", N_("before it is put on a web server")}},
       setup_registry_verify},
      {"registry build",
       kChange,
       N_("make a signed tree of a folder of manifests, for any web server"),
       N_("Checks every manifest first. The version grows by one with each build and never falls. "
          "The same manifests, version and dates (SOURCE_DATE_EPOCH) give the same bytes. Users "
          "refuse a tree that has expired, so build again before that day."),
       {{"las registry build DIR --key lab.key --out TREE --name NAME", N_("the first time")},
        {"las registry build DIR --key lab.key --out TREE", N_("the next version")}},
       setup_registry_build},
      {"registry keygen",
       kChange,
       N_("make a key pair in the format of minisign"),
       N_("FILE gets the secret key (mode 0600, without a passphrase, as 'minisign -G -W' writes "
          "it: whoever reads it can sign), the same name with .pub the public one. Keys with a "
          "passphrase, made by 'minisign -G', work too."),
       {{"las registry keygen lab.key", ""}},
       setup_registry_keygen},
      {"lock",
       kChange,
       N_("write down what is installed, to make other machines so"),
       N_("A lock names every module with its exact version, variant and the digests of what it "
          "was "
          "made of, the models with theirs, the services with port and options, the wishes, the "
          "policies in force, and what of the machine the choice of builds depended on. No times, "
          "no folders of this machine: the same state gives the same bytes. Without -o it goes to "
          "standard output."),
       {{"las lock > las.lock", ""},
        {"las lock -o las.lock", N_("whole or not at all; a second time changes nothing")},
        {"las lock --json", N_("for programs")}},
       setup_lock},
      {"apply",
       kChange,
       N_("make this machine what a lock or a las.yaml says"),
       N_("The file is a lock (kind: lock), or one you write, which names modules (with ranges, "
          "variants, modes, holds), models (path or digest) and services (model, engine, port, "
          "options, running). A lock is exact: modules and services that it does not name are "
          "removed, versions go up or down, and bytes with another digest than the lock's are "
          "refused. With a las.yaml what it does not name stays, unless --prune. Models are "
          "forgotten with --prune only. A file of a model is looked for beside the document and in "
          "the folders of --models.\n\n"
          "It is done in steps that are each done or not: models come in, one transaction changes "
          "modules, wishes and services together, and services that only stand still or run "
          "against the file are started and stopped. If a step fails, the error says what was done "
          "before, and the same command goes on from there.\n\n"
          "Exit status: 0 done or nothing to do; 10 with --check when something differs; 1 a "
          "faulty "
          "file or a missing model; 3 a policy denies it; 4 a lock for another machine, or a "
          "release that the catalog no longer has; 5 busy, or a port is taken; 6 other bytes than "
          "the lock names; 7 network; 8 a service did not become healthy and all was taken back."),
       {{"las apply las.lock --check", N_("what differs; exit status 10 if anything does")},
        {"las apply las.lock --dry-run", N_("only the plan")},
        {"las apply --yes las.lock --models /srv/models", N_("in a provisioning script")},
        {"las apply --yes las.yaml --prune", N_("what the file does not name leaves")}},
       setup_apply,
       true,
       false,
       "--check"},

      {"model", kRun, N_("the models of this machine"), "", {}, nullptr},
      {"model import",
       kRun,
       N_("take a model file into the library"),
       N_("The file is checked by its content, hashed, and copied (or cloned, where the file "
          "system "
          "can) into the library. The original stays."),
       {{"las model import tiny.gguf", ""}, {"las model import big.gguf --name big", ""}},
       setup_model_import,
       true},
      {"model list", kRun, N_("models in the library"), "", {}, setup_model_list},
      {"model remove",
       kRun,
       N_("forget a model and free its space"),
       "",
       {},
       setup_model_remove,
       true},
      {"serve",
       kRun,
       N_("serve a model: pick the engine, start it, wait until it answers"),
       N_("Chooses an installed engine for the model's format and a free port on the loopback "
          "address, generates the service, starts it and waits until it is healthy. If it does not "
          "become healthy, everything is as it was before."),
       {{"las serve tiny", ""}, {"las serve tiny --port 8080 --name demo", ""}},
       setup_serve,
       true},
      {"chat",
       kRun,
       N_("talk to a served model"),
       N_("Streams the answer from the OpenAI-compatible endpoint to standard output; tokens per "
          "second go to standard error. Without a message it reads them from standard input, line "
          "by line."),
       {{"las chat tiny \"hello\"", ""}, {"echo hello | las chat tiny", ""}},
       setup_chat},
      {"status", kRun, N_("services: state, process, memory, port"), "", {}, setup_status},
      {"start", kRun, N_("start services and wait until they answer"), "", {}, setup_start, true},
      {"stop", kRun, N_("stop services and wait until they are gone"), "", {}, setup_stop, true},
      {"logs",
       kRun,
       N_("what a service printed"),
       "",
       {{"las logs tiny --lines 50", ""}},
       setup_logs},
      {"health",
       kRun,
       N_("ask every service whether it is well"),
       N_("Exit status 1 when one of them is not."),
       {},
       setup_health},

      {"history",
       kKeep,
       N_("what was done, when, by whom, and the generations it made"),
       "",
       {},
       setup_history},
      {"rollback",
       kKeep,
       N_("go back to the previous generation, or to a given one"),
       N_("A switch, not a reinstall: nothing is downloaded. Services that the other generation "
          "does not have are stopped and their units removed."),
       {{"las rollback", N_("to the generation before")}, {"las rollback 3", ""}},
       setup_rollback,
       true},
      {"override", kKeep, N_("exceptions to the policies of this machine"), "", {}, nullptr},
      {"override add",
       kKeep,
       N_("admit what a policy denies, with a reason"),
       N_("Recorded with who and when, for this machine only; no policy file is changed. A plan "
          "that rests on an override shows it. With --until it holds through that day in local "
          "time."),
       {{"las override add NAME --reason \"tested with our patch\"", ""},
        {"las override add NAME --reason \"until the new card is in\" --until 2026-12-31", ""}},
       setup_override_add,
       true},
      {"override list",
       kKeep,
       N_("the overrides in force; with --all, those that ended too"),
       "",
       {{"las override list", ""}},
       setup_override_list},
      {"override revert",
       kKeep,
       N_("end an override"),
       N_("What was installed with it stays; the next change is judged without it."),
       {{"las override revert ov-1", ""}},
       setup_override_revert,
       true},
      {"override log",
       kKeep,
       N_("every change of the overrides: what, who, when, why"),
       "",
       {},
       setup_override_log},
      {"verify",
       kKeep,
       N_("compare the store, links, services and models with the records"),
       N_("Exit status 1 when something differs; each finding says what mends it."),
       {{"las verify", ""}, {"las verify --deep", N_("hash the models too")}},
       setup_verify},
      {"metrics", kKeep, N_("numbers for Prometheus (text format)"), "", {}, setup_metrics},

      {"config", kSetup, N_("settings"), "", {}, nullptr},
      {"config list",
       kSetup,
       N_("all settings with their values"),
       N_("With --origin, where each value came from: default, file, environment or flag."),
       {{"las config list --origin", ""}},
       setup_config_list},
      {"config get", kSetup, N_("one value"), "", {}, setup_config_get},
      {"config set",
       kSetup,
       N_("write a setting to the configuration file"),
       "",
       {{"las config set fetch.parallel 8", ""}},
       setup_config_set},
      {"config unset",
       kSetup,
       N_("take a setting out of the configuration file"),
       "",
       {},
       setup_config_unset},
      {"lint",
       kSetup,
       N_("check manifests and policies"),
       N_("All faults at once, with file, line, key and suggestion. Exit status 1 when there are "
          "any."),
       {{"las lint share/manifests", ""}},
       setup_lint},
      {"completion",
       kSetup,
       N_("print the completion script of a shell"),
       "",
       {{"las completion bash > ~/.local/share/bash-completion/completions/las", ""}},
       setup_completion},
      {"complete",
       kSetup,
       N_("what the completion scripts ask"),
       "",
       {},
       setup_complete,
       false,
       true},
      {"manual", kSetup, N_("print the manual page (roff)"), "", {}, setup_manual, false, true},
  };
  return kTable;
}

}  // namespace las::cli
