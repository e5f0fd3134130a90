import Kernels
import Testing

@testable import NN

/// Where tensors lie in a slab, and what lies between them.
struct SlabTests {
  private func network(gradientTail: Int = 0) throws -> Network {
    let network = try Network(
      [.dense(units: 7), .relu, .dense(units: 16), .relu, .dense(units: 3), .relu],
      inputShape: Shape(5, 3), maximumRows: 4, gradientTail: gradientTail)
    network.initialize(seed: 1)
    return network
  }

  @Test("tensors are named after layer and parameter, in order")
  func names() throws {
    let layout = try network().layout
    #expect(
      layout.tensors.map(\.name) == [
        "0.dense.weight", "0.dense.bias", "2.dense.weight", "2.dense.bias", "4.dense.weight",
        "4.dense.bias",
      ])
    #expect(layout.tensors[0].shape == Shape(15, 7) && layout.tensors[1].shape == Shape(7))
    #expect(layout.parameterCount == 15 * 7 + 7 + 7 * 16 + 16 + 16 * 3 + 3)
  }

  @Test("each tensor starts a cache line, behind the one before", arguments: [1, 15, 16, 17, 100])
  func alignment(count: Int) {
    var layout = SlabLayout()
    layout.append(name: "a", shape: Shape(count))
    layout.append(name: "b", shape: Shape(count, 2))
    layout.append(name: "c", shape: Shape(1))
    var end = 0
    for tensor in layout.tensors {
      #expect(tensor.offset % 16 == 0)
      // No gap of a whole line, and no overlap.
      #expect(tensor.offset >= end && tensor.offset < end + 16)
      #expect(tensor.range.count == tensor.shape.count)
      end = tensor.range.upperBound
    }
    #expect(layout.count >= end && layout.count < end + 16 && layout.count % 16 == 0)
    let slab = Slab(layout, tail: 3)
    #expect(UInt(bitPattern: slab.base) % 64 == 0)
    #expect(slab.all.count == layout.count + 3 && slab.tail.count == 3)
    #expect(slab.tail.baseAddress == slab.base + layout.count)
    #expect(slab.all.allSatisfy { $0 == 0 })
    #expect(
      slab.elements(of: layout.tensors[1]).baseAddress == slab.base + layout.tensors[1].offset)
  }

  @Test(
    "padding is zero after training steps, in parameters, gradients and optimizer states",
    arguments: OptimizerSpecification.kinds.map { $0.name })
  func padding(name: String) throws {
    let kernels = KernelSet(InstructionSet.supported.last!)
    let network = try network(gradientTail: 16)
    let optimizer = OptimizerSpecification(everyStateOf: name).optimizer(layout: network.layout)
    let batch = SampleBatch(rows: 4, features: 15, outputs: 3, random: 1)
    for _ in 0..<3 {
      network.gradients.tail.update(repeating: 7)
      try network.computeGradients(
        batch, loss: .softmaxCrossEntropy, shards: ShardRows(undivided: 4), kernels: kernels)
      optimizer.step(
        network.parameters, gradients: network.gradients, GradientTerms(scale: 0.25, l1: 0.1),
        learningRate: 0.1, kernels: kernels)
    }
    let used = Set(network.layout.tensors.flatMap { Array($0.range) })
    let gaps = (0..<network.layout.count).filter { !used.contains($0) }
    #expect(gaps.count == network.layout.count - network.layout.parameterCount && gaps.count > 0)
    for slab in [network.parameters, network.gradients] + optimizer.states.map(\.slab) {
      #expect(gaps.allSatisfy { slab.base[$0] == 0 })
      for tensor in network.layout.tensors where tensor.name.hasSuffix("weight") {
        #expect(slab.elements(of: tensor).contains { $0 != 0 })
      }
    }
    #expect(network.gradients.tail.allSatisfy { $0 == 7 })
  }

  @Test("gradients of a stage start at its offset, or else those of the next that has any")
  func gradientOffsets() throws {
    let network = try network()
    let offsets = network.layout.tensors.map(\.offset)
    #expect(
      network.plan.gradientOffsets == [
        0, offsets[2], offsets[2], offsets[4], offsets[4], network.layout.count,
      ])
  }

  @Test("once backward has passed a stage, all gradients from its offset on are filled")
  func filledFromTheEnd() throws {
    let network = try network()
    let batch = SampleBatch(rows: 4, features: 15, outputs: 3, random: 1)
    network.gradients.all.update(repeating: .nan)
    try network.computeGradients(
      batch, loss: .softmaxCrossEntropy, shards: ShardRows(undivided: 4),
      kernels: KernelSet(.baseline)
    ) { stage in
      let offset = network.plan.gradientOffsets[stage]
      for tensor in network.layout.tensors {
        let isFilled = network.gradients.elements(of: tensor).allSatisfy { !$0.isNaN }
        #expect(isFilled == (tensor.offset >= offset), "\(tensor.name) after stage \(stage)")
      }
    }
  }
}
