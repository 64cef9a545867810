#include "tools/text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <ostream>

namespace vgg19::tools {

namespace {

/// The width in characters: UTF-8 continuation bytes do not count.
std::size_t width(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

}  // namespace

std::string grouped(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t end = text.size(); end > 3; end -= 3) text.insert(end - 3, 1, ',');
    return text;
}

std::string fixed(double number, int digits) {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), "%.*f", digits, number);
    return text.data();
}

std::string megabytes(std::uint64_t bytes) {
    const auto number = static_cast<double>(bytes);
    return bytes < 1'000'000 ? fixed(number / 1e3, 1) + " kB" : fixed(number / 1e6, 1) + " MB";
}

std::string scaled(std::uint64_t count) {
    const auto number = static_cast<double>(count);
    if (number >= 1e9) return fixed(number / 1e9, 2) + " G";
    if (number >= 1e6) return fixed(number / 1e6, 2) + " M";
    if (number >= 1e3) return fixed(number / 1e3, 2) + " k";
    return std::to_string(count);
}

std::string joined(const std::vector<std::size_t>& numbers, const std::string& separator) {
    std::string text;
    for (const std::size_t number : numbers) {
        if (!text.empty()) text += separator;
        text += std::to_string(number);
    }
    return text;
}

void Table::add_total(std::vector<std::string> row) {
    add(std::move(row));
    total_ = true;
}

std::ostream& operator<<(std::ostream& out, const Table& table) {
    std::vector<std::size_t> widths(table.rows_.front().size(), 0);
    for (const auto& row : table.rows_) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
    }
    std::size_t rule = 2 * (widths.size() - 1);
    for (const std::size_t column : widths) rule += column;

    for (std::size_t line = 0; line < table.rows_.size(); ++line) {
        const auto& row = table.rows_[line];
        if (line == 1 || (table.total_ && line + 1 == table.rows_.size())) {
            out << std::string(rule, '-') << '\n';
        }
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string gap(widths[i] - width(row[i]), ' ');
            if (i == 0) {
                out << row[i] << (row.size() > 1 ? gap : "");
            } else {
                out << "  " << gap << row[i];
            }
        }
        out << '\n';
    }
    return out;
}

}  // namespace vgg19::tools
