import Kernels
import Testing

@testable import NN

struct InitializerTests {
  private func network(seed: UInt64, rows: Int = 1, tail: Int = 0) throws -> Network {
    let network = try Network(
      [.dense(units: 64), .relu, .dense(units: 64), .dense(units: 64)], inputShape: Shape(64),
      maximumRows: rows, gradientTail: tail)
    network.initialize(seed: seed)
    return network
  }

  @Test("weights are uniform in +-sqrt(6 / fanIn), biases zero", arguments: [1, 6, 150, 784])
  func bounds(fanIn: Int) throws {
    let network = try Network([.dense(units: 40)], inputShape: Shape(fanIn), maximumRows: 0)
    network.parameters.all.update(repeating: .nan)
    network.initialize(seed: 3)
    let weights = network.parameters.elements(of: network.layout.tensors[0]).map(Double.init)
    let bound = (6 / Double(fanIn)).squareRoot()
    #expect(weights.allSatisfy { $0.magnitude <= bound * (1 + unitRoundoff) })
    // Uniform in +-b has variance b^2/3 and fourth moment b^4/5. The mean of n of them deviates by
    // b/sqrt(3n), the mean square by b^2 sqrt(4/45n): five of these is one seed in a million.
    let n = Double(weights.count)
    let mean = weights.reduce(0, +) / n
    let square = weights.reduce(0) { $0 + $1 * $1 } / n
    #expect(mean.magnitude < 5 * bound / (3 * n).squareRoot())
    #expect(
      (square - bound * bound / 3).magnitude < 5 * bound * bound * (4 / (45 * n)).squareRoot())
    #expect(network.parameters.elements(of: network.layout.tensors[1]).allSatisfy { $0 == 0 })
  }

  @Test(
    "a dense layer's weights begin within their initializer's bound",
    arguments: [
      ("he-uniform", 6.0 / 30), ("glorot-uniform", 6.0 / 50), ("lecun-uniform", 3.0 / 30),
    ])
  func initializers(name: String, squaredBound: Double) throws {
    let network = try Network(
      [
        LayerSpecification(
          "dense",
          RawSetting(
            .map([
              .init(key: "units", value: 20), .init(key: "bias", value: false),
              .init(key: "initializer", value: RawSetting(.text(name))),
            ])))
      ], inputShape: Shape(30), maximumRows: 0)
    network.initialize(seed: 3)
    #expect(network.layout.tensors.map(\.name) == ["0.dense.weight"])
    let largest = network.parameters.elements(of: network.layout.tensors[0])
      .map { Double($0.magnitude) }.max()!
    // Of 600 numbers, one is within a fiftieth of the bound: all but one seed in 180,000.
    #expect(largest <= squaredBound.squareRoot() * (1 + unitRoundoff))
    #expect(largest > 0.98 * squaredBound.squareRoot())
  }

  @Test("the same seed gives the same parameters, whatever the batch and the tail")
  func sameSeed() throws {
    let one = try network(seed: 8)
    let other = try network(seed: 8, rows: 100, tail: 16)
    #expect(one.layout == other.layout)
    #expect(Array(one.parameters.all) == Array(other.parameters.all))
    one.initialize(seed: 8)
    #expect(Array(one.parameters.all) == Array(other.parameters.all))
  }

  @Test("another seed gives other weights", arguments: [0, 9, 1 << 40])
  func otherSeed(seed: UInt64) throws {
    let (one, other) = (try network(seed: 8), try network(seed: seed))
    for tensor in one.layout.tensors where tensor.name.hasSuffix("weight") {
      #expect(
        Array(one.parameters.elements(of: tensor)) != Array(other.parameters.elements(of: tensor)))
    }
  }

  @Test("tensors of one shape differ, and each is the stream of its number")
  func tensorsDiffer() throws {
    let network = try network(seed: 8)
    let weights = network.layout.tensors.filter { $0.name.hasSuffix("weight") }
    #expect(weights.count == 3)
    #expect(Set(weights.map { Array(network.parameters.elements(of: $0)) }).count == 3)
    for (number, tensor) in network.layout.tensors.enumerated() where number % 2 == 0 {
      var expected = [Float](repeating: 0, count: tensor.shape.count)
      expected.withUnsafeMutableBufferPointer {
        RandomStream(seed: 8, purpose: .initialization, instance: number)
          .fillUniform($0, bound: (Float(6) / 64).squareRoot())
      }
      #expect(Array(network.parameters.elements(of: tensor)) == expected)
    }
  }
}
