// Collects what a checkpoint says beside its tensors, while its tree is walked.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "converter/import/checkpoint_facts.h"
#include "converter/import/pickle.h"

namespace vgg19::converter {

/// A key as a part of a path: texts and numbers as they are; of other things what they are, in angle
/// brackets.
std::string pickle_key_text(const Pickle& pickle, const PickleValue& key);

class FactCollector {
  public:
    FactCollector(const Pickle& pickle, CheckpointFacts& facts) : pickle_(pickle), facts_(facts) {}

    /// What follows is under this key of the root, which is `value`.
    void begin_part(std::string_view key, const PickleValue& value);
    /// A container or object at `path`, whose last key is `key`.
    void container(const std::string& path, std::string_view key, const PickleValue& value);
    /// A plain value under `key` of what is at `path`. Those of modules are their settings.
    void value(const std::string& path, std::string_view key, const PickleValue& value, bool in_module);
    /// An object with a state; gives whether it is a module of PyTorch.
    bool module(const std::string& path, const PickleValue& value);
    void quantized(const std::string& path);
    void tensor_left_out(const std::string& what);
    /// Counts something that is left out for its size, by what it is.
    void leave_out(const std::string& what) { ++left_out_[what]; }
    /// Makes texts of what was counted.
    void finish();

  private:
    struct Part {
        std::string key;
        std::string what;
        bool plain = false;                          ///< one value, no container
        std::ptrdiff_t values = 0;                   ///< those that became facts are taken off
        std::map<std::string, std::size_t> tensors;  ///< by type
    };

    /// The part that is being walked; it is kept once something in it is counted.
    Part& part();
    void class_names(const std::string& path, const PickleValue& value);

    const Pickle& pickle_;
    CheckpointFacts& facts_;
    std::vector<Part> parts_;
    Part part_{.key = "the file", .what = "one value"};
    bool kept_ = false;  ///< part_ is the last of parts_
    Part more_;          ///< all parts beyond the first hundred together
    std::size_t more_parts_ = 0;
    std::size_t names_seen_ = 0;
    std::size_t module_settings_ = 0;
    std::map<std::string, std::size_t> left_out_;
};

}  // namespace vgg19::converter
