// Numbers and tables as people read them.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>
#include <vector>

namespace vgg19::tools {

std::string grouped(std::uint64_t number);     ///< "143,667,240"
std::string fixed(double number, int digits);  ///< digits after the point
std::string megabytes(std::uint64_t bytes);    ///< "574.7 MB", or "12.3 kB" for less than one; MB is 10^6
std::string scaled(std::uint64_t count);       ///< "19.63 G", "143.67 M", …
std::string joined(const std::vector<std::size_t>& numbers, const std::string& separator);  ///< "512×512×3×3"

/// Columns as wide as their longest cell: the first to the left, the others to the right.
class Table {
  public:
    explicit Table(std::vector<std::string> head) : rows_{std::move(head)} {}
    void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
    /// Ends with a line of its own, such as totals, set off by a rule.
    void add_total(std::vector<std::string> row);

    friend std::ostream& operator<<(std::ostream& out, const Table& table);

  private:
    std::vector<std::vector<std::string>> rows_;
    bool total_ = false;
};

}  // namespace vgg19::tools
