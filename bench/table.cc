#include "bench/table.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <ostream>

#include "engine/model/foreign_text.h"

namespace vgg19 {

namespace {

constexpr std::size_t gap = 2;  ///< spaces between columns

using Rows = std::vector<std::vector<std::string>>;

/// For people: one line each, and no control characters.
Rows shown(Rows rows) {
    constexpr std::size_t longest_cell = 1000;  // longer than any path and class name that fits a table
    for (auto& row : rows) {
        for (std::string& cell : row) cell = model::printable(cell, longest_cell);
    }
    return rows;
}

/// The width in characters: UTF-8 continuation bytes do not count.
std::size_t width(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::vector<std::size_t> column_widths(const Rows& rows) {
    std::vector<std::size_t> widths(rows.front().size(), 0);
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
    }
    return widths;
}

std::string aligned_row(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
    std::string line;
    for (std::size_t column = 0; column < cells.size(); ++column) {
        const std::string& cell = cells[column];
        const std::size_t padding = widths[column] - width(cell);
        if (column == 0) {
            line.append(cell).append(padding, ' ');
        } else {
            line.append(gap + padding, ' ').append(cell);
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

std::string csv_cell(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string result(1, '"');
    for (const char character : text) result.append(character == '"' ? 2 : 1, character);
    result.push_back('"');
    return result;
}

std::string csv_row(const std::vector<std::string>& cells) {
    std::string line;
    for (const std::string& cell : cells) {
        line.append(&cell == cells.data() ? "" : ",").append(csv_cell(cell));
    }
    return line + "\r\n";
}

}  // namespace

void Table::add_total(std::vector<std::string> row) {
    add(std::move(row));
    total_ = true;
}

std::string Table::markdown() const {
    const Rows rows = shown(rows_);
    std::string text = markdown_row(rows.front()) + '|';
    for (std::size_t column = 0; column < columns(); ++column) text += column == 0 ? "---|" : "---:|";
    text += '\n';
    for (std::size_t row = 1; row < rows.size(); ++row) text += markdown_row(rows[row]);
    return text;
}

std::string Table::csv() const {
    std::string text;
    for (const auto& row : rows_) text += csv_row(row);
    return text;
}

std::string Table::text(bool with_rules) const {
    const Rows rows = shown(rows_);
    const std::vector<std::size_t> widths = column_widths(rows);
    const std::size_t length = std::accumulate(widths.begin(), widths.end(), gap * (widths.size() - 1));
    std::string text;
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const bool is_total = total_ && row + 1 == rows.size();
        if (with_rules && (row == 1 || is_total)) text.append(length, '-').append(1, '\n');
        text += aligned_row(rows[row], widths);
    }
    return text;
}

std::ostream& operator<<(std::ostream& out, const Table& table) {
    return out << table.text(true);
}

}  // namespace vgg19
