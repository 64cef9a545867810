// Maps class folders to a model's classes, by name or by position.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace vgg19::converter {

/// [class of the data set] → class of the model. Several classes may map to the same one.
using LabelMap = std::vector<std::size_t>;

/// A model's classes, as far as data sets need to know them.
class ModelClasses {
  public:
    /// `names`: one per class, or empty if unknown.
    ModelClasses(std::size_t count, std::vector<std::string> names = {});

    std::size_t count() const { return count_; }
    const std::vector<std::string>& names() const { return names_; }
    /// Whether the classes are ImageNet's: there are 1000, and they have no names, or at least nine of ten
    /// names are ImageNet's.
    bool are_imagenet() const { return imagenet_; }
    /// "a class of the model, 0 to 9", for messages.
    std::string range_text() const;

  private:
    std::size_t count_;
    std::vector<std::string> names_;
    bool imagenet_;
};

/// How class folders map to the model's classes.
enum class ClassOrder : unsigned char {
    automatic,     ///< the only possible reading
    name,          ///< the folder's name is the class's name, WordNet id or ImageNet label
    index,         ///< the folder's name is the class's index
    alphabetical,  ///< the index is the folder's position in name order, as in PyTorch's ImageFolder: 0 1 10
                   ///< 11 2 …
    natural,       ///< the same, but digits compare as numbers: 0 1 2 … 10 11
};

/// Throws Error (usage) for a text that is not "name", "index", "alphabetical" or "natural".
ClassOrder class_order_named(std::string_view text);

/// A map, and a description of how it was found.
struct ClassMapping {
    LabelMap map;
    std::string reading;  ///< "by place in alphabetical order: ant → 0, bee → 1"
};

/// The model's class for each of `names`, which are sorted bytewise. Throws Error (bad_input) if a name has
/// no class in that order; with ClassOrder::automatic also if there are two readings that differ (the message
/// shows both). Automatic means
/// - by name (class_search.h) for a model with its own class names;
/// - by WordNet ids, indices (also mixed) or ImageNet's labels for ImageNet's classes;
/// - for other models and names that are all whole numbers, by index or by position, which must agree;
/// - otherwise by position in alphabetical order, if there are as many names as classes.
ClassMapping order_classes(const std::vector<std::string>& names, const ModelClasses& model,
                           ClassOrder order = ClassOrder::automatic);

/// Whether the text can identify a class of the model: an index or, for ImageNet, a WordNet id.
bool is_class_id(std::string_view text, const ModelClasses& model);
/// The class with that id; none if the model has no such class.
std::optional<std::size_t> find_class(std::string_view id, const ModelClasses& model);

/// Quoted, and truncated if long: a file that is not text may have very long lines.
std::string in_quotes(std::string_view text);
bool is_digits(std::string_view text);
/// A number below `end`; none for a larger one and for anything else.
std::optional<std::size_t> parse_index(std::string_view digits, std::size_t end);

}  // namespace vgg19::converter
