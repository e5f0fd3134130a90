import Foundation
import NN
import TestSupport
import Testing

@testable import Training

private let fashionMNIST = Location.package + "/.data/fashion-mnist"

/// What `Examples/` promises.
struct ExampleTests {
  static let names = try! FileManager.default
    .contentsOfDirectory(atPath: Location.package + "/Examples").filter { $0.hasSuffix(".yaml") }

  @Test("every example is a configuration whose model fits its data", arguments: names)
  func isValid(name: String) throws {
    let configuration = try TrainingConfiguration(file: Location.package + "/Examples/" + name)
    let (input, outputs) =
      switch name {
      case "topics.yaml": (Shape(5000), 5)
      case _ where name.hasPrefix("fashion-mnist"): (Shape(28, 28), 10)
      default: (Shape(1), 1)
      }
    let network = try NetworkPlan(configuration.model, inputShape: input)
    #expect(network.outputShape == Shape(outputs))
  }

  @Test("nine of ten texts get their topic")
  func topics() throws {
    let examples = Location.package + "/Examples"
    let run = try TrainedRun(
      file: examples + "/topics.yaml",
      settings: ["train", "test"].map { "data.\($0).file=\(examples)/topics.\($0)" }, ranks: 2)
    #expect(try #require(run.summaries[0].testAccuracy) >= 0.9)
  }

  @Test(
    "softmax regression reaches 84 % on Fashion-MNIST",
    .enabled(
      if: FileManager.default.fileExists(atPath: fashionMNIST + "/t10k-labels-idx1-ubyte"),
      "needs Fashion-MNIST in .data: ./run.sh test fetches it"))
  func softmax() throws {
    let files = [
      ("train.features", "train-images-idx3"), ("train.labels", "train-labels-idx1"),
      ("test.features", "t10k-images-idx3"), ("test.labels", "t10k-labels-idx1"),
    ]
    let run = try TrainedRun(
      file: Location.package + "/Examples/fashion-mnist-softmax.yaml",
      settings: files.map { "data.\($0.0)=\(fashionMNIST)/\($0.1)-ubyte" }, ranks: 2)
    #expect(try #require(run.summaries[0].testAccuracy) >= 0.84)
  }
}
