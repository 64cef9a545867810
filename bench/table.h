// Formats tables.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace vgg19 {

/// A head and rows: the first column holds names, the others numbers. Every row has one cell per header.
class Table {
  public:
    explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    /// A last row, such as totals, separated by a rule.
    void add_total(std::vector<std::string> row);

    std::size_t columns() const { return rows_.front().size(); }

    /// Aligns columns with spaces, as wide as their longest cell: names left, numbers right.
    std::string aligned() const { return text(false); }
    /// The same as a GitHub Markdown table.
    std::string markdown() const;
    /// The same as RFC 4180 has it.
    std::string csv() const;
    /// aligned(), with a rule below the head.
    friend std::ostream& operator<<(std::ostream& out, const Table& table);

  private:
    std::string text(bool with_rules) const;

    std::vector<std::vector<std::string>> rows_;
    bool total_ = false;
};

}  // namespace vgg19
