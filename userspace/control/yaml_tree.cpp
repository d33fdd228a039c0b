#include "control/yaml_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <exception>
#include <optional>
#include <sstream>
#include <unordered_map>
#include <utility>

#include "control/words.h"
#include "core/utf8.h"

namespace guideway::control {
namespace {

// Why a file is refused as a whole.
struct Refusal {
  Mark mark;
  std::string what;
};

Mark from_yaml(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

bool is_control_character(char character) {
  const auto byte = static_cast<unsigned char>(character);
  return (byte < 0x20 && byte != '\t' && byte != '\n' && byte != '\r') || byte == 0x7f;
}

std::string hex(char character) {
  static constexpr char kDigits[] = "0123456789abcdef";
  const auto byte = static_cast<unsigned char>(character);
  return {'0', 'x', kDigits[byte >> 4], kDigits[byte & 0x0f]};
}

// What is wrong with the bytes, before they are looked at as YAML. Brackets are counted without
// regard to quotes and comments: yaml-cpp looks ahead to the end of an open bracket, and so must be
// kept from a file that only opens them.
std::optional<Refusal> bad_bytes(std::string_view text) {
  Mark mark{1, 1};
  std::size_t open = 0;
  for (std::size_t i = 0; i < text.size();) {
    const char character = text[i];
    const std::size_t length = utf8_length(text.substr(i));
    if (length == 0)
      return Refusal{mark, "byte " + hex(character) + " is not UTF-8; save the file as UTF-8 text"};
    if (is_control_character(character))
      return Refusal{mark,
                     "byte " + hex(character) + " is a control character; the file must be text"};
    if (character == '[' || character == '{') ++open;
    if ((character == ']' || character == '}') && open > 0) --open;
    if (open > kMaxOpenBrackets)
      return Refusal{mark,
                     "more than " + std::to_string(kMaxOpenBrackets) + " brackets are open here"};
    i += length;
    mark = character == '\n' ? Mark{mark.line + 1, 1}
                             : Mark{mark.line, mark.column + static_cast<int>(length)};
  }
  return std::nullopt;
}

}  // namespace

// Turns the parser's events into nodes. Throws Refusal, through yaml-cpp, to stop it.
class YamlBuilder final : public YAML::EventHandler {
 public:
  explicit YamlBuilder(YamlTree& tree) : tree_(tree) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1)
      throw Refusal{
          from_yaml(mark),
          "a second YAML document starts here; a configuration is one document: put it into "
          "a file of its own"};
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    leaf(make(YamlNode::Kind::null, mark), anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    YamlNode& node = make(YamlNode::Kind::scalar, mark);
    node.text = value;
    leaf(node, anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchored_.find(anchor);
    if (found == anchored_.end())
      throw Refusal{from_yaml(mark), "this alias stands within the value that it stands for"};
    attach(*found->second, from_yaml(mark));
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    begin(YamlNode::Kind::list, mark, tag, anchor);
  }
  void OnSequenceEnd() override { end(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    begin(YamlNode::Kind::mapping, mark, tag, anchor);
  }
  void OnMapEnd() override { end(); }

  // REQUIRES: the parser is through. A file without a document gets an empty root.
  void finish() {
    if (tree_.root_ == nullptr) tree_.root_ = &tree_.nodes_.emplace_back();
  }

 private:
  struct Open {
    YamlNode* node;
    YAML::anchor_t anchor;
  };

  YamlNode& make(YamlNode::Kind kind, const YAML::Mark& mark) {
    if (tree_.nodes_.size() >= kMaxValues) refuse_values(from_yaml(mark));
    YamlNode& node = tree_.nodes_.emplace_back();
    node.kind = kind;
    node.mark = from_yaml(mark);
    return node;
  }

  void leaf(YamlNode& node, YAML::anchor_t anchor) {
    if (anchor != 0) anchored_[anchor] = &node;
    attach(node, node.mark);
  }

  void begin(YamlNode::Kind kind, const YAML::Mark& mark, const std::string& tag,
             YAML::anchor_t anchor) {
    check_tag(mark, tag);
    if (open_.size() >= kMaxDepth)
      throw Refusal{from_yaml(mark), "lists and mappings are nested deeper than " +
                                         std::to_string(kMaxDepth) + " levels"};
    open_.push_back({&make(kind, mark), anchor});
  }

  void end() {
    const Open closed = open_.back();
    open_.pop_back();
    leaf(*closed.node, closed.anchor);
  }

  // Makes `node` part of the innermost open list or mapping. `mark`: where it is asked for.
  void attach(const YamlNode& node, Mark mark) {
    if (open_.empty()) {
      tree_.root_ = &node;
      return;
    }
    YamlNode& parent = *open_.back().node;
    parent.items.push_back(&node);
    parent.values += node.values;
    if (parent.values > kMaxValues) refuse_values(mark);
  }

  static void check_tag(const YAML::Mark& mark, const std::string& tag) {
    // "?" and "!" are the parser's words for plain and quoted.
    if (tag.empty() || tag == "?" || tag == "!" || tag.starts_with("tag:yaml.org,2002:")) return;
    throw Refusal{from_yaml(mark), "the tag " + quoted(tag) + " means nothing here; leave it out"};
  }

  [[noreturn]] static void refuse_values(Mark mark) {
    throw Refusal{mark, "the file holds more than " + std::to_string(kMaxValues) +
                            " values, each alias counted as what it stands for"};
  }

  YamlTree& tree_;
  int documents_ = 0;
  std::vector<Open> open_;
  std::unordered_map<YAML::anchor_t, const YamlNode*> anchored_;  // complete ones only
};

namespace {

// yaml-cpp takes the end of the file for the end of a quoted text. A document's end it does not.
std::string with_end_marker(std::string_view text) {
  std::string result(text);
  if (!result.ends_with('\n')) result += '\n';
  return result += "...\n";
}

std::string in_words(const YAML::Exception& exception) {
  if (exception.msg == YAML::ErrorMsg::DOC_IN_SCALAR)
    return "is not YAML: a quote above is not closed";
  return "is not YAML: " + printable(exception.msg) +
         "; check the indentation (spaces, no tabs), quotes and brackets here and above";
}

std::optional<Refusal> run_parser(std::string_view text, YamlBuilder& builder) {
  try {
    std::istringstream stream(with_end_marker(text));
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (Refusal& refusal) {
    return std::move(refusal);
  } catch (const YAML::Exception& exception) {
    return Refusal{from_yaml(exception.mark), in_words(exception)};
  } catch (const std::exception& exception) {
    return Refusal{{}, std::string("cannot be parsed: ") + exception.what()};
  }
  return std::nullopt;
}

}  // namespace

std::expected<YamlTree, Problem> YamlTree::parse(std::string_view text, const std::string& file) {
  YamlTree tree;
  YamlBuilder builder(tree);
  std::optional<Refusal> refusal;
  if (text.size() > kMaxFileBytes)
    refusal = Refusal{{}, "is larger than 16 MiB"};
  else
    refusal = bad_bytes(text);
  if (!refusal) refusal = run_parser(text, builder);
  if (refusal) {
    const Mark mark = refusal->mark;
    return std::unexpected(Problem{file, mark.line, mark.column, "", std::move(refusal->what)});
  }
  builder.finish();
  return tree;
}

}  // namespace guideway::control
