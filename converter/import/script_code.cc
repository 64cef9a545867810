#include "converter/import/script_code.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <optional>
#include <system_error>

namespace vgg19::converter {
namespace {

constexpr std::string_view call = "torch.batch_norm(";
constexpr std::size_t epsilon_argument = 7;

/// The argument with index `number` of a call; `text` begins after the opening parenthesis.
std::string_view argument(std::string_view text, std::size_t number) {
    constexpr std::size_t longest_call = 10'000;
    text = text.substr(0, longest_call);
    int depth = 0;
    std::size_t begin = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char character = text[i];
        if (character == '(' || character == '[') ++depth;
        const bool end = depth == 0 && character == ')';
        if (character == ')' || character == ']') --depth;
        if (!end && (character != ',' || depth != 0)) continue;
        if (number == 0) return text.substr(begin, i - begin);
        if (end) return {};
        --number;
        begin = i + 1;
    }
    return {};
}

std::optional<double> number_at_start(std::string_view text) {
    while (!text.empty() && (text[0] == ' ' || text[0] == '\n')) text.remove_prefix(1);
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end == text.data()) return {};
    return number;
}

void add(std::vector<double>& values, std::optional<double> value) {
    if (value && std::find(values.begin(), values.end(), *value) == values.end()) values.push_back(*value);
}

}  // namespace

std::vector<double> batch_norm_epsilons(std::string_view code) {
    std::vector<double> values;
    for (std::size_t at = code.find(call); at != std::string_view::npos;
         at = code.find(call, at + call.size())) {
        add(values, number_at_start(argument(code.substr(at + call.size()), epsilon_argument)));
    }
    constexpr std::string_view constant = "eps : Final[float] = ";
    if (code.find("class BatchNorm") == std::string_view::npos) return values;
    for (std::size_t at = code.find(constant); at != std::string_view::npos;
         at = code.find(constant, at + constant.size())) {
        add(values, number_at_start(code.substr(at + constant.size())));
    }
    return values;
}

}  // namespace vgg19::converter
