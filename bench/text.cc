#include "bench/text.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace vgg19::bench {

namespace {

std::vector<std::size_t> column_widths(const Grid& grid) {
    std::vector<std::size_t> widths;
    for (const std::string& head : grid.heads) widths.push_back(head.size());
    for (const auto& row : grid.rows) {
        for (std::size_t column = 0; column < widths.size(); ++column) {
            widths[column] = std::max(widths[column], row[column].size());
        }
    }
    return widths;
}

std::string aligned_row(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
    std::string line;
    for (std::size_t column = 0; column < cells.size(); ++column) {
        const std::string& cell = cells[column];
        const std::size_t padding = widths[column] - cell.size();
        if (column == 0) {
            line.append(cell).append(padding, ' ');
        } else {
            line.append(2 + padding, ' ').append(cell);
        }
    }
    return line.substr(0, line.find_last_not_of(' ') + 1) + '\n';
}

std::string markdown_row(const std::vector<std::string>& cells) {
    std::string line = "|";
    for (const std::string& cell : cells) {
        line += ' ';
        for (const char character : cell) {
            if (character == '|') line += '\\';
            line += character;
        }
        line += " |";
    }
    return line + '\n';
}

}  // namespace

std::string fixed(double value, int digits) {
    std::array<char, 400> text{};  // the largest double has 309 digits before the point
    const auto [end, error] =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::fixed, digits);
    return error == std::errc() ? std::string(text.data(), end) : "?";
}

std::string megabytes_text(std::uint64_t bytes) {
    return fixed(static_cast<double>(bytes) * 1e-6, 1) + " MB";
}

std::string aligned(const Grid& grid) {
    const std::vector<std::size_t> widths = column_widths(grid);
    std::string text = aligned_row(grid.heads, widths);
    for (const auto& row : grid.rows) text += aligned_row(row, widths);
    return text;
}

std::string markdown(const Grid& grid) {
    std::string text = markdown_row(grid.heads) + '|';
    for (std::size_t column = 0; column < grid.heads.size(); ++column) text += column == 0 ? "---|" : "---:|";
    text += '\n';
    for (const auto& row : grid.rows) text += markdown_row(row);
    return text;
}

}  // namespace vgg19::bench
