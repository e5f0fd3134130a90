import Kernels
import Testing

@testable import NN

struct NetworkTests {
  /// The oracle calls the layers by hand and gives every activation and gradient a memory of its
  /// own, so that a network that overwrites what it still needs shows. Layers are wider and deeper
  /// than one block of the matrix product, which no longer holds a copy of all its operands.
  @Test("a network is its layers, one after the other, bit for bit")
  func layersByHand() {
    let specifications: [LayerSpecification] = [
      .dense(units: 300), .relu, .dense(units: 2100), .dense(units: 290), .relu, .dense(units: 10),
    ]
    let batch = SampleBatch(rows: 13, features: 20, outputs: 10, random: 1)
    let kernels = KernelSet(InstructionSet.supported.last!)
    let network = Network(specifications, inputShape: Shape(20), maximumRows: 13)
    network.initialize(seed: 2)
    let shards = ShardRows(first: 0, ends: [5, 9, 9, 13])
    network.computeGradients(
      batch, loss: .softmaxCrossEntropy, shards: shards, kernels: kernels)

    let pass = Pass(kernels: kernels, shards: shards)
    var buffers: [AlignedBuffer] = []
    func matrix(_ shape: Shape) -> Matrix {
      buffers.append(AlignedBuffer(count: 13 * shape.count))
      return Matrix(buffers.last!.base, rows: 13, columns: shape.count)
    }
    func pointers(_ slab: Slab, _ number: Int) -> [UnsafeMutablePointer<Float>] {
      slab.layout.tensors.filter { $0.name.hasPrefix("\(number).") }.map { slab.base + $0.offset }
    }
    let gradients = Slab(network.layout)
    var activations = [matrix(Shape(20))]
    activations[0].elements.update(batch.x)
    for (number, layer) in network.layers.enumerated() {
      let y = matrix(layer.outputShape)
      layer.forward(
        activations[number], into: y, weights: pointers(network.parameters, number), pass: pass)
      activations.append(y)
    }
    var dy = matrix(Shape(10))
    var losses = [Float](repeating: 0, count: 13)
    kernels.softmaxCrossEntropy(
      activations.last!, labels: batch.labels, losses: &losses, into: dy)
    for (number, layer) in network.layers.enumerated().reversed() {
      let dx = matrix(layer.inputShape)
      layer.backward(
        dy, x: activations[number], y: activations[number + 1], into: dx,
        weights: pointers(network.parameters, number), gradients: pointers(gradients, number),
        pass: pass)
      dy = dx
    }
    withExtendedLifetime(buffers) {
      for tensor in network.layout.tensors {
        // A count: a failing comparison of arrays would look for their difference for minutes.
        let different = zip(network.gradients.elements(of: tensor), gradients.elements(of: tensor))
          .count { $0.bitPattern != $1.bitPattern }
        #expect(different == 0, "\(tensor.name)")
      }
    }
  }

  @Test("shapes go from layer to layer")
  func shapes() {
    let network = Network(
      [.relu, .dense(units: 7), .relu], inputShape: Shape(4, 3), maximumRows: 2, gradientTail: 5)
    #expect(network.inputShape == Shape(4, 3) && network.outputShape == Shape(7))
    #expect(network.layers.map(\.kind) == ["relu", "dense", "relu"])
    #expect(network.layout.tensors.map(\.shape) == [Shape(12, 7), Shape(7)])
    #expect(network.gradients.tail.count == 5 && network.parameters.tail.isEmpty)
    #expect(network.maximumRows == 2)
  }
}
