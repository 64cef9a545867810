// Retrieval: which pictures of a collection are most like another one.
//
//     vgg19-example-retrieval MODEL QUERY PICTURE…
//
// Prints the five most similar pictures, with the cosine of the angle between their features and the query's.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <numeric>
#include <string>
#include <utility>
#include <vector>
#include <vgg19/vgg19.hpp>

namespace {

/// A picture's features, of length 1: each channel's mean over the map, which tells what is in the picture
/// and not where. The model may be one of features alone. For copies of a picture, take "fc7" as it is.
std::vector<float> features_of(vgg19::Session& session, const std::string& path) {
    std::vector<float> input(3 * session.input_size().pixels());
    std::vector<float> map(session.outputs().front().size());
    session.preprocess(vgg19::load_image(path).view(), input);
    session.run(input, map);
    std::vector<float> features(session.outputs().front().shape[1]);
    const std::size_t pixels = map.size() / features.size();
    for (std::size_t channel = 0; channel < features.size(); ++channel) {
        const auto first = map.begin() + static_cast<std::ptrdiff_t>(channel * pixels);
        features[channel] = std::reduce(first, first + static_cast<std::ptrdiff_t>(pixels));
    }
    const float norm = std::sqrt(
        std::inner_product(features.begin(), features.end(), features.begin(), 1e-20F));  // not 0 for black
    for (float& feature : features) feature /= norm;
    return features;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc < 4) {
        std::fprintf(stderr, "usage: %s MODEL QUERY PICTURE…\n", argv[0]);
        return 2;
    }
    try {
        vgg19::Session session(vgg19::Model::open(argv[1]), {.outputs = {"relu5_4"}});
        const std::vector<float> query = features_of(session, argv[2]);
        std::vector<std::pair<float, std::string>> found;
        for (int i = 3; i < argc; ++i) {
            const std::vector<float> features = features_of(session, argv[i]);
            const float cosine = std::inner_product(query.begin(), query.end(), features.begin(), 0.0F);
            found.emplace_back(cosine, argv[i]);
        }
        const auto end = found.begin() + std::min<std::ptrdiff_t>(5, std::ssize(found));
        std::partial_sort(found.begin(), end, found.end(), std::greater<>());
        for (auto each = found.begin(); each != end; ++each) {
            std::printf("%.4f  %s\n", static_cast<double>(each->first), each->second.c_str());
        }
    } catch (const vgg19::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
