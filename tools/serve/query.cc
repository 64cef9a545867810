#include "tools/serve/query.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "tools/serve/http/request.h"
#include "tools/serve/problem.h"

namespace vgg19::server {

namespace {

constexpr std::size_t default_rounds = 5;

Problem bad(const std::string& message) {
    return {400, "bad_request", message};
}

void require_known(const http::Query& query, std::initializer_list<std::string_view> names) {
    for (auto at = query.begin(); at != query.end(); ++at) {
        if (std::find(names.begin(), names.end(), at->first) == names.end()) {
            throw bad("there is no parameter '" + at->first + "'");
        }
        if (query.count(at->first) > 1) throw bad(at->first + ": it is there more than once");
    }
}

std::optional<std::string> find(const http::Query& query, const std::string& name) {
    const auto found = query.find(name);
    if (found == query.end()) return std::nullopt;
    return found->second;
}

std::size_t number_in(const http::Query& query, const std::string& name, std::size_t most,
                      std::size_t default_value) {
    const std::optional<std::string> text = find(query, name);
    if (!text) return default_value;
    const std::optional<std::uint64_t> number = http::whole_number(*text);
    if (!number || *number < 1 || *number > most) {
        throw bad(name + ": expected a whole number from 1 to " + std::to_string(most) + ", found '" + *text +
                  "'");
    }
    return static_cast<std::size_t>(*number);
}

/// The index of the value among the choices; 0 if the parameter is missing.
std::size_t choice(const http::Query& query, const std::string& name,
                   std::initializer_list<std::string_view> choices) {
    const std::optional<std::string> text = find(query, name);
    if (!text) return 0;
    const auto* const found = std::find(choices.begin(), choices.end(), *text);
    if (found != choices.end()) return static_cast<std::size_t>(found - choices.begin());
    std::string expected;
    for (const std::string_view one : choices) expected.append(expected.empty() ? "" : " or ").append(one);
    throw bad(name + ": expected " + expected + ", found '" + *text + "'");
}

/// Returned in the order of `ids`; the order in the request does not matter.
std::vector<std::size_t> chosen_variants(const http::Query& query, const std::vector<std::string>& ids) {
    const std::optional<std::string> list = find(query, "variants");
    std::vector<bool> chosen(ids.size(), !list);
    for (std::size_t begin = 0; list && begin <= list->size();) {
        const std::size_t end = std::min(list->find(',', begin), list->size());
        const std::string id = list->substr(begin, end - begin);
        const auto found = std::find(ids.begin(), ids.end(), id);
        if (found == ids.end()) {
            std::string known;
            for (const std::string& one : ids) known += (known.empty() ? "" : ", ") + one;
            known.insert(0, "variants: expected some of ").append(", found '").append(id).append("'");
            throw Problem(400, "unknown_variant", known);
        }
        chosen[static_cast<std::size_t>(found - ids.begin())] = true;
        begin = end + 1;
    }
    std::vector<std::size_t> indices;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (chosen[i]) indices.push_back(i);
    }
    return indices;
}

JobRequest common_request(const http::Query& query, const std::vector<std::string>& ids,
                          const Limits& limits) {
    constexpr std::size_t default_top = 3;
    return {.variants = chosen_variants(query, ids),
            .top = number_in(query, "top", limits.top, default_top),
            .profile = choice(query, "profile", {"0", "1"}) == 1};
}

}  // namespace

JobRequest classify_request(const http::Query& query, const std::vector<std::string>& ids,
                            const Limits& limits) {
    require_known(query, {"variants", "top", "profile"});
    return common_request(query, ids, limits);
}

JobRequest job_request(const http::Query& query, const std::vector<std::string>& ids, const Limits& limits) {
    require_known(query, {"variants", "top", "profile", "mode", "rounds"});
    JobRequest request = common_request(query, ids, limits);
    if (choice(query, "mode", {"parallel", "rounds"}) == 1) request.mode = Mode::rounds;
    const std::size_t rounds = number_in(query, "rounds", limits.rounds, default_rounds);
    if (request.mode == Mode::rounds) request.rounds = rounds;
    return request;
}

}  // namespace vgg19::server
