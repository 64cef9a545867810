// Tables as text.
#pragma once

#include <iosfwd>
#include <string>
#include <vector>

namespace vgg19 {

/// A head and rows: the first column holds names, the others numbers. Every row has as many cells as the
/// head.
class Table {
  public:
    explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    /// Ends with a line of its own, such as totals, set off by a rule.
    void add_total(std::vector<std::string> row);

    std::size_t columns() const { return rows_.front().size(); }

    /// Columns in line by spaces, as wide as their longest cell: names to the left, numbers to the right.
    std::string aligned() const { return text(false); }
    /// The same as GitHub's Markdown has it.
    std::string markdown() const;
    /// aligned(), with a rule below the head.
    friend std::ostream& operator<<(std::ostream& out, const Table& table);

  private:
    std::string text(bool with_rules) const;

    std::vector<std::vector<std::string>> rows_;
    bool total_ = false;
};

}  // namespace vgg19
