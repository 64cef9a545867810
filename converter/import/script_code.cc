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

/// The body of a class's forward(): its lines between "def forward(" and the next definition.
std::string_view body_of_forward(std::string_view code, std::string_view class_name) {
    constexpr std::string_view method = "\n  def forward(";
    const std::size_t at = code.find("class " + std::string(class_name) + "(");
    if (at == std::string_view::npos) return {};
    code.remove_prefix(at);
    code = code.substr(0, std::min(code.find("\nclass "), code.find("\ndef ")));
    const std::size_t begin = code.find(method);
    if (begin == std::string_view::npos) return {};
    code.remove_prefix(begin + method.size());
    return code.substr(0, code.find("\n  def "));
}

/// What is behind the last `start` at a line's beginning, up to the line's end.
std::string_view last_line(std::string_view body, std::string_view start) {
    const std::size_t at = body.rfind("\n    " + std::string(start));
    if (at == std::string_view::npos) return {};
    const std::string_view line = body.substr(at + 5 + start.size());
    return line.substr(0, line.find('\n'));
}

/// The value of a variable of the body; a text that is no variable stands for itself.
std::string_view value_of(std::string_view body, std::string_view name) {
    const std::string_view value = last_line(body, std::string(name) + " = ");
    return value.empty() ? name : value;
}

}  // namespace

std::string last_called(std::string_view code, std::string_view class_name) {
    const std::string_view body = body_of_forward(code, class_name);
    const std::string_view value = value_of(body, last_line(body, "return "));
    if (value.starts_with('(')) {  // a module's: "(relu).forward(x, )" behind "relu = self.relu"
        const std::size_t end = value.find(").forward(");
        if (end == std::string_view::npos) return {};
        const std::string_view module = value_of(body, value.substr(1, end - 1));
        const std::string self = std::string(body.substr(0, body.find(':'))) + ".";
        return module.starts_with(self) ? "self." + std::string(module.substr(self.size())) : "";
    }
    const std::size_t end = value.find('(');
    return end == std::string_view::npos ? std::string() : std::string(value_of(body, value.substr(0, end)));
}

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
