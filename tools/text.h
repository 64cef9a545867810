// Formats numbers and tables for people.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace vgg19::tools {

std::string grouped(std::uint64_t number);     ///< "143,667,240"
std::string fixed(double number, int digits);  ///< with this many digits after the point
std::string megabytes(std::uint64_t bytes);    ///< "574.7 MB", or "12.3 kB" below one MB (10^6 bytes)
std::string scaled(std::uint64_t count);       ///< "19.63 G", "143.67 M", …
std::string joined(const std::vector<std::size_t>& numbers, const std::string& separator);  ///< "512×512×3×3"

/// Columns are as wide as their longest cell: the first is left-aligned, the others right-aligned.
class Table {
  public:
    explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    /// A last row, such as totals, separated by a rule.
    void add_total(std::vector<std::string> row);

    friend std::ostream& operator<<(std::ostream& out, const Table& table);

  private:
    std::vector<std::vector<std::string>> rows_;
    bool total_ = false;
};

}  // namespace vgg19::tools
