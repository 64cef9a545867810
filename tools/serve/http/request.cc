#include "tools/serve/http/request.h"

#include <algorithm>
#include <charconv>
#include <system_error>

#include "tools/serve/http/problem.h"

namespace vgg19::http {

namespace {

int hexadecimal(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string decoded(std::string_view text, bool plus_is_space) {
    std::string result;
    result.reserve(text.size());
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%') {
            const int high = i + 2 < text.size() ? hexadecimal(text[i + 1]) : -1;
            const int low = i + 2 < text.size() ? hexadecimal(text[i + 2]) : -1;
            if (high < 0 || low < 0) {
                throw Problem(400, "bad_request",
                              "request line: expected two hexadecimal digits after each %");
            }
            result += static_cast<char>(high * 16 + low);
            i += 2;
        } else {
            result += text[i] == '+' && plus_is_space ? ' ' : text[i];
        }
    }
    return result;
}

Query decoded_query(std::string_view text) {
    Query query;
    while (!text.empty()) {
        const std::string_view pair = text.substr(0, text.find('&'));
        text.remove_prefix(std::min(pair.size() + 1, text.size()));
        if (pair.empty()) continue;
        const std::size_t equals = std::min(pair.find('='), pair.size());
        query.emplace(decoded(pair.substr(0, equals), true),
                      decoded(pair.substr(std::min(equals + 1, pair.size())), true));
    }
    return query;
}

}  // namespace

const std::string* Request::find(std::string_view name) const {
    const auto found =
        std::find_if(fields.begin(), fields.end(), [&](const auto& field) { return field.first == name; });
    return found == fields.end() ? nullptr : &found->second;
}

std::size_t Request::count(std::string_view name) const {
    return static_cast<std::size_t>(
        std::count_if(fields.begin(), fields.end(), [&](const auto& field) { return field.first == name; }));
}

std::string_view Request::value(std::string_view name) const {
    const std::string* found = find(name);
    return found == nullptr ? std::string_view{} : std::string_view(*found);
}

bool Request::closes() const {
    bool keeps = !is_1_0;
    for (const auto& [name, value] : fields) {
        if (name != "connection") continue;
        constexpr const char* separators = ", \t";
        std::size_t begin = value.find_first_not_of(separators);
        while (begin != std::string::npos) {
            const std::size_t end = std::min(value.find_first_of(separators, begin), value.size());
            const std::string token = lower_case(std::string_view(value).substr(begin, end - begin));
            if (token == "close") return true;
            if (token == "keep-alive") keeps = true;
            begin = value.find_first_not_of(separators, end);
        }
    }
    return !keeps;
}

void read_target(Request& request) {
    const std::string_view target = request.target;
    const std::size_t question = std::min(target.find('?'), target.size());
    request.path = decoded(target.substr(0, question), false);
    request.query = decoded_query(target.substr(std::min(question + 1, target.size())));
}

std::optional<std::uint64_t> whole_number(std::string_view text) {
    std::uint64_t number = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || rest != end) return std::nullopt;
    return number;
}

std::string lower_case(std::string_view text) {
    std::string lower(text);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

}  // namespace vgg19::http
