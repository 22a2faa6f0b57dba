#include "synthema/torch/local_model.hpp"

#include <utility>

#include "synthema/core/version.hpp"
#include "synthema/data/digest.hpp"
#include "synthema/model/bpe.hpp"
#include "synthema/model/chat_template.hpp"
#include "synthema/model/engine.hpp"
#include "synthema/model/model_file.hpp"

namespace synthema {

namespace {

constexpr std::size_t kSlotsPerWorker = 64;  // from so many rows on the integer products reach their speed

ChatTemplate template_of(const ModelFile& file, const LocalModelOptions& options) {
  return options.chat_template ? ChatTemplate::named(*options.chat_template) : ChatTemplate::of(file);
}

// The file's digest covers weights and tokenizer.
std::string digest_of(const ModelFile& file, const ChatTemplate& chat) {
  return Sha256()
      .field("synthema local model")
      .field(file.digest())
      .field(chat.name())
      .field(SYNTHEMA_VERSION)
      .hex();
}

}  // namespace

struct LocalModel::Impl {
  using LocalEngine = Engine<Transformer, BytePairTokenizer>;

  Impl(const ModelFile& file, const LocalModelOptions& options) : engine(make_engine(file, options)) {}

  static LocalEngine make_engine(const ModelFile& file, const LocalModelOptions& options) {
    Transformer transformer(file, options.transformer);
    BytePairTokenizer tokenizer = BytePairTokenizer::from(file.tokenizer());
    if (tokenizer.vocabulary_size() > transformer.vocabulary_size())
      throw ModelError(message("The tokenizer of '", file.path(), "' has ", tokenizer.vocabulary_size(),
                               " tokens, but the model knows only ", transformer.vocabulary_size(), "."));
    ChatTemplate chat = template_of(file, options);
    EngineIdentity identity{digest_of(file, chat), transformer.numeric_path()};
    EngineOptions engine_options;
    engine_options.slots = options.slots > 0 ? options.slots : kSlotsPerWorker * transformer.workers();
    return LocalEngine(std::move(transformer), std::move(tokenizer), std::move(chat), std::move(identity),
                       engine_options);
  }

  std::vector<TokenId> encode(std::string_view text) const {
    std::vector<TokenId> ids = engine.tokenizer().encode(text);
    if (const auto begin = engine.tokenizer().begin_id()) ids.insert(ids.begin(), *begin);
    return ids;
  }

  LocalEngine engine;
};

LocalModel::LocalModel(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LocalModel::~LocalModel() = default;
LocalModel::LocalModel(LocalModel&&) noexcept = default;
LocalModel& LocalModel::operator=(LocalModel&&) noexcept = default;

LocalModel LocalModel::load(const std::string& path, const LocalModelOptions& options) {
  return LocalModel(std::make_unique<Impl>(ModelFile::open(path), options));
}

void LocalModel::submit(std::vector<CompletionRequest> requests) {
  impl_->engine.submit(std::move(requests));
}
std::vector<FinishedCompletion> LocalModel::poll() {
  return impl_->engine.poll();
}
void LocalModel::discard() {
  impl_->engine.discard();
}
std::string LocalModel::digest() const {
  return impl_->engine.digest();
}
std::string LocalModel::numeric_path() const {
  return impl_->engine.numeric_path();
}
std::vector<std::pair<std::string, double>> LocalModel::seconds_by_part() const {
  return impl_->engine.model().seconds_by_part();
}
std::size_t LocalModel::count_tokens(std::string_view text) const {
  return impl_->encode(text).size();
}
std::size_t LocalModel::context_limit() const {
  return impl_->engine.model().context_limit();
}
const std::string& LocalModel::chat_template() const {
  return impl_->engine.chat_template().name();
}
std::vector<std::vector<double>> LocalModel::score(const std::vector<std::string>& texts,
                                                   const std::function<void()>& between_steps) {
  std::vector<std::vector<TokenId>> ids;
  for (const std::string& text : texts) ids.push_back(impl_->encode(text));
  return impl_->engine.score(ids, between_steps);
}

}  // namespace synthema
