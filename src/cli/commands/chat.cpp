// SPDX-License-Identifier: Apache-2.0
#include "las/app/chat.hpp"

#include "checks.hpp"
#include "command.hpp"

#include "las/app/services.hpp"
#include "las/base/i18n.hpp"
#include "las/base/printable.hpp"
#include "las/base/text.hpp"

#include <istream>
#include <limits>
#include <ostream>

#include <fmt/format.h>

namespace las::cli {

namespace {

struct ChatOptions {
  std::string service;
  std::vector<std::string> message;
  std::string system;
  int max_tokens = 0;
  double temperature = -1;
};

app::ChatResult answer(Context& context, const app::ChatRequest& request) {
  const bool json = context.options.json;
  // A model may say anything, and what it says may come from a stranger's document.
  text::TerminalFilter filter;
  app::ChatResult result = app::chat(
      context.session,
      request,
      [&](std::string_view piece) {
        if (json)
          return;
        if (context.streams.out_is_terminal)
          context.out << filter.feed(piece) << std::flush;
        else
          context.out << piece << std::flush;
      },
      context.activity);
  if (json) {
    context.print_json({{"text", result.text},
                        {"finish_reason", result.finish_reason},
                        {"prompt_tokens", result.prompt_tokens},
                        {"completion_tokens", result.completion_tokens},
                        {"seconds_to_first_token", result.seconds_to_first_token},
                        {"tokens_per_second", result.tokens_per_second}});
    return result;
  }
  context.out << "\n" << std::flush;
  std::string line = fmt::format(fmt::runtime(_("[{} tokens, first after {:.2f} s")),
                                 result.completion_tokens,
                                 result.seconds_to_first_token);
  if (result.tokens_per_second > 0)
    line += fmt::format(fmt::runtime(_(", {:.1f} tokens/s")), result.tokens_per_second);
  context.note(line + "]");
  return result;
}

int run_chat(Context& context, const ChatOptions& options) {
  app::ChatRequest request;
  request.service = options.service;
  if (!options.system.empty())
    request.messages.push_back({"system", options.system});
  if (options.max_tokens > 0)
    request.max_tokens = options.max_tokens;
  if (options.temperature >= 0)
    request.temperature = options.temperature;

  if (!options.message.empty()) {
    request.messages.push_back({"user", text::join(options.message, " ")});
    answer(context, request);
    return 0;
  }
  if (context.options.json)
    throw Error(ErrorKind::Usage, _("a conversation is no JSON document"))
        .hint(_("give the message as an argument: las chat NAME --json \"...\""));
  if (!options.service.empty())
    (void)app::services(context.session, {options.service});  // an unknown name is said at once
  // A conversation: every line is a message, the history goes along.
  std::string line;
  while (true) {
    if (context.streams.in_is_terminal && !context.options.quiet)
      context.streams.err << "> " << std::flush;
    if (!std::getline(context.streams.in, line))
      break;
    if (text::trim(line).empty())
      continue;
    request.messages.push_back({"user", line});
    const app::ChatResult result = answer(context, request);
    request.messages.push_back({"assistant", result.text});
  }
  context.activity.cancellation.throw_if_requested();
  return 0;
}

}  // namespace

Run setup_chat(CLI::App& app) {
  auto options = std::make_shared<ChatOptions>();
  app.add_option("service", options->service, _("served model; may be left out when there is one"))
      ->type_name(kind::kService);
  app.add_option("message", options->message, _("what to say; none: lines of standard input"))
      ->type_name("MESSAGE");
  app.add_option("--system", options->system, _("system prompt"))->type_name(kind::kText);
  app.add_option("--max-tokens", options->max_tokens, _("end the answer after so many tokens"))
      ->check(whole_number(1, std::numeric_limits<int>::max()))
      ->type_name("N");
  app.add_option("--temperature", options->temperature, _("randomness, 0 to 2"))
      ->check(real_number(0, 2))
      ->type_name("T");
  return [options](Context& context) { return run_chat(context, *options); };
}

}  // namespace las::cli
