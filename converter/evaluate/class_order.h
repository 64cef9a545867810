// Which class of a model a class folder is, by its name or by its place.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vgg19::converter {

/// [class of the data set] → class of the model. Several may have the same.
using LabelMap = std::vector<std::size_t>;

/// The classes of a model, as far as data needs to know them.
class ModelClasses {
  public:
    /// `names` has one a class, or none where the model does not say them.
    ModelClasses(std::size_t count, std::vector<std::string> names = {});

    std::size_t count() const { return count_; }
    const std::vector<std::string>& names() const { return names_; }
    /// ImageNet's 1000: there are as many, without names, or with nine of ten as ImageNet has them.
    bool are_imagenet() const { return imagenet_; }
    /// "a class of the model, 0 to 9", for messages.
    std::string range_text() const;

  private:
    std::size_t count_;
    std::vector<std::string> names_;
    bool imagenet_;
};

/// How class folders stand for the model's classes.
enum class ClassOrder : unsigned char {
    automatic,     ///< the one reading that is possible
    name,          ///< the folder's name is the class's; or WordNet's id or ImageNet's label
    index,         ///< the folder's name is the class's index
    alphabetical,  ///< the folder's place by name is the index, as in PyTorch's ImageFolder: 0 1 10 11 2 …
    natural,       ///< the same with numbers in names compared as numbers: 0 1 2 … 10 11
};

/// Throws Error (usage) for a text that is not "name", "index", "alphabetical" or "natural".
ClassOrder class_order_named(std::string_view text);

/// A map, and the words for how it came about.
struct ClassMapping {
    LabelMap map;
    std::string reading;  ///< "by place in alphabetical order: ant → 0, bee → 1"
};

/// The model's class for each of `names`, which are sorted as bytes. Throws Error (bad_input) where a name
/// has no class in that order; with ClassOrder::automatic also where two readings are possible and differ,
/// with both. Automatic is
///   - by name (class_search.h), for a model with names of its own;
///   - by WordNet's ids, indices (a mixture too) or ImageNet's labels, for ImageNet's classes;
///   - for other models and names that are all whole numbers, by index or by place, which must agree;
///   - else by place in alphabetical order, where there are as many names as classes.
ClassMapping order_classes(const std::vector<std::string>& names, const ModelClasses& model,
                           ClassOrder order = ClassOrder::automatic);

/// What a class of the model may be called: an index, or WordNet's id for ImageNet's.
bool is_class_id(std::string_view text, const ModelClasses& model);
/// The class that is called so; none where the model has no such class.
std::optional<std::size_t> find_class(std::string_view id, const ModelClasses& model);

/// In quotes, cut where it is long: a file that is no text may have very long lines.
std::string in_quotes(std::string_view text);
bool is_digits(std::string_view text);
/// Below `end`; none for a larger one, and for what is no number.
std::optional<std::size_t> parse_index(std::string_view digits, std::size_t end);

}  // namespace vgg19::converter
