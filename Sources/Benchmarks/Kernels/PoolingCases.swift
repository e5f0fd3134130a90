import Kernels

extension KernelCase {
  private static let images = 32

  /// Halves of LeNet's images, and of some with more channels.
  static var poolings: [KernelCase] {
    [6, 64].flatMap { channels in
      PoolingPart.allCases.map { pooling($0, channels: channels) }
    }
  }

  private enum PoolingPart: String, CaseIterable {
    case maximumPool, maximumPoolGradient, averagePool, averagePoolGradient
  }

  /// Windows of 2 x 2 pixels beside each other.
  private static func pooling(_ part: PoolingPart, channels: Int) -> KernelCase {
    let windows = ImageWindows(
      height: 28, width: 28, channels: channels, kernelHeight: 2, kernelWidth: 2, strideY: 2,
      strideX: 2)
    let large = images * windows.imageSize
    let small = large / 4
    let places = part == .maximumPool || part == .maximumPoolGradient ? small : 0
    let bytes = 4 * (large + small + places)
    return KernelCase(
      group: .pooling, kernel: part.rawValue, shape: "\(images)x28x28x\(channels) 2x2",
      bytes: bytes, footprint: bytes
    ) { kernels in
      let isForward = part == .maximumPool || part == .averagePool
      let x = Operand<Float>(large, seed: 1)
      let y = Operand<Float>(small, seed: 2)
      let dx = Operand<Float>(results: isForward ? 0 : large)
      let outcome = Operand<Float>(results: small)
      let chosen = Operand<Int32>(small) { _ in 0 }
      let call: () -> Void
      switch part {
      case .maximumPool:
        let (x, y) = (x.matrix(images, large / images), outcome.matrix(images, small / images))
        call = { kernels.maximumPool(x, windows, into: y, places: chosen.base) }
      case .averagePool:
        let (x, y) = (x.matrix(images, large / images), outcome.matrix(images, small / images))
        call = { kernels.averagePool(x, windows, into: y) }
      case .maximumPoolGradient:
        let (dy, dx) = (y.matrix(images, small / images), dx.matrix(images, large / images))
        kernels.maximumPool(
          x.matrix(images, large / images), windows, into: outcome.matrix(images, small / images),
          places: chosen.base)
        call = { kernels.maximumPoolGradient(dy, windows, places: chosen.base, into: dx) }
      case .averagePoolGradient:
        let (dy, dx) = (y.matrix(images, small / images), dx.matrix(images, large / images))
        call = { kernels.averagePoolGradient(dy, windows, into: dx) }
      }
      /// Of a pixel: where its window's result lies, and which of the window's pixels it is.
      func window(_ index: Int) -> (result: Int, number: Int) {
        let (channel, pixel) = (index % channels, index / channels)
        let (row, column) = (pixel / 28, pixel % 28)
        return ((row / 2 * 14 + column / 2) * channels + channel, row % 2 * 2 + column % 2)
      }
      /// The pixels of a result's window.
      func pixels(_ index: Int) -> [Double] {
        let (channel, place) = (index % channels, index / channels)
        let (row, column) = (place / 14 * 2, place % 14 * 2)
        return [0, 1, 28, 29].map {
          Double(x.base[(row * 28 + column + $0) * channels + channel])
        }
      }
      let result = isForward ? outcome : dx
      return PreparedKernel(
        call: call, count: result.count, result: { Double(result.base[$0]) }
      ) { index in
        switch part {
        case .maximumPool: return .exactly(pixels(index).max()!)
        case .averagePool: return Expected(pixels(index).reduce(0, +) / 4, roundings: 4, scale: 1)
        case .maximumPoolGradient:
          let (result, number) = window(index)
          let pixels = pixels(result)
          return .exactly(
            pixels.firstIndex(of: pixels.max()!) == number ? Double(y.base[result]) : 0)
        case .averagePoolGradient:
          return .exactly(Double(y.base[window(index).result]) / 4)
        }
      }
    }
  }
}
