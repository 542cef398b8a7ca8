using Cluster.Contracts.Buffers;
using Cluster.Contracts.Errors;
using Cluster.Contracts.Inference;
using Cluster.Silo.Transport;
using Cluster.Tests.Common;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Hosting;
using Xunit;

namespace Cluster.Unit.Transport;

/// <summary>Two of Orleans' silos that exchange payloads over the frames. An upgrade of Orleans that changes what they rest on fails here.</summary>
[Collection(nameof(TransportCollection))]
public sealed class OrleansTransportTests
{
    private const int KiB = 1 << 10;
    private const int MiB = 1 << 20;

    [Fact]
    public async Task Payloads_OfAllSizes_ArriveWithBytesAndPaddingAndGoBack()
    {
        var buffers = new Buffers();
        await using (var silos = await TwoSilos.StartAsync())
        {
            foreach (var (length, padding) in ((int, int)[])[(0, 0), (1, 7), (8 * KiB - 1, 3), (8 * KiB, 4), (64 * KiB, 1), (600 * KiB, 5), (MiB + 1, 2), (64 * MiB, 6)])
            {
                await CopyAsync(silos.Grain, length, padding);
                await CopyAsync(silos.LocalGrain, length, padding);
            }
        }

        await buffers.AllBackAsync();
    }

    /// <summary>
    /// Orleans asks its connection for memory, serializes the message and advances on one thread, and reads what it is handed before it advances: else
    /// payloads would be copied into their messages, which nothing else shows.
    /// </summary>
    [Fact]
    public async Task Payload_OfACallAndOfItsAnswer_TravelsBesideTheMessage()
    {
        const int Length = (64 * KiB) + 8;
        await using var silos = await TwoSilos.StartAsync();

        await CopyAsync(silos.Grain, Length, 0);

        Assert.Equal(2, silos.Spy.CountOf(Length));
    }

    [Fact]
    public async Task Calls_InParallel_EachGetTheirOwnBytes()
    {
        var buffers = new Buffers();
        await using (var silos = await TwoSilos.StartAsync())
        {
            var grain = silos.Grain;
            await Parallel.ForEachAsync(
                Enumerable.Range(1, 400),
                new ParallelOptions { MaxDegreeOfParallelism = 32, CancellationToken = TestContext.Current.CancellationToken },
                async (index, _) => await CopyAsync(grain, (index * 7919) % (index % 40 == 0 ? 3 * MiB : 100 * KiB), index % 8)).Soon();
        }

        await buffers.AllBackAsync();
    }

    [Fact]
    public async Task Call_ThatFails_GivesItsMemoryBack()
    {
        var buffers = new Buffers();
        await using (var silos = await TwoSilos.StartAsync())
        {
            using var message = Payload(100 * KiB, 0);
            var failure = await Assert.ThrowsAsync<ServingException>(() => silos.Grain.FailAsync(new InferRequest { Message = message }).AsTask().Soon());
            Assert.Equal("as asked", failure.Message);
        }

        await buffers.AllBackAsync();
    }

    [Fact]
    public async Task Call_ThatIsGivenUp_GivesItsMemoryBack()
    {
        var buffers = new Buffers();
        await using (var silos = await TwoSilos.StartAsync())
        {
            foreach (var grain in (IPayloadGrain[])[silos.Grain, silos.LocalGrain])
            {
                using var stop = new CancellationTokenSource();
                using var message = Payload(2 * MiB, 0);
                var call = grain.WaitAsync(new InferRequest { Message = message }, stop.Token).AsTask();
                await UntilAsync(grain, 1).Soon();
                await stop.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call.Soon());
                message.Dispose();
                await UntilAsync(grain, 0).Soon();
            }
        }

        await buffers.AllBackAsync();
    }

    /// <summary>The caller gives up, and takes its memory back, while the message waits to be sent.</summary>
    [Fact]
    public async Task Call_GivenUpBeforeItIsSent_SendsNothingWrong()
    {
        await using (var silos = await TwoSilos.StartAsync())
        {
            await CopyAsync(silos.Grain, 10, 0);
            var open = new TaskCompletionSource();
            silos.Spy.Sending = _ => open.Task;
            var calls = Enumerable.Range(0, 40).Select(async index =>
            {
                using var stop = new CancellationTokenSource();
                using var message = Payload(200 * KiB, index % 8);
                var call = silos.Grain.CopyAsync(new InferRequest { Message = message }, stop.Token).AsTask();
                await stop.CancelAsync();
                try
                {
                    (await call.Soon()).Message?.Dispose();
                }
                catch (OperationCanceledException)
                {
                    // As asked.
                }
            }).ToList();
            await Task.WhenAll(calls).Soon();
            silos.Spy.Sending = null;
            open.SetResult();

            await CopyAsync(silos.Grain, 200 * KiB, 1);
        }
    }

    /// <summary>The connection is cut while a payload is on its way: the call is lost, its memory is not.</summary>
    [Fact]
    public async Task Connection_CutAmidAPayload_GivesTheMemoryBackAndTheNextCallArrives()
    {
        var buffers = new Buffers();
        await using (var silos = await TwoSilos.StartAsync())
        {
            await CopyAsync(silos.Grain, 10, 0);
            var begun = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var sent = 0L;
            silos.Spy.Sending = bytes =>
            {
                if ((sent += bytes) > 8 * MiB)
                {
                    begun.TrySetResult();
                }

                return Task.CompletedTask;
            };
            using var stop = new CancellationTokenSource();
            var message = Payload(64 * MiB, 0);
            var call = silos.Grain.CopyAsync(new InferRequest { Message = message }, stop.Token).AsTask();
            await begun.Task.Soon();

            silos.Spy.Cut();
            silos.Spy.Sending = null;
            await stop.CancelAsync();
            await Assert.ThrowsAnyAsync<Exception>(() => call.Soon());
            message.Dispose();

            await ArrivesAsync(silos.Grain).Soon();
        }

        await buffers.AllBackAsync();
    }

    /// <summary>Orleans' keys are objects of its own: they are taken from what it registers.</summary>
    [Fact]
    public void UseFrameTransport_OnASilo_ReplacesEverySocketOfOrleans()
    {
        var host = new HostBuilder().ConfigureServices(static services => services.AddOrleans(static silo => silo.UseLocalhostClustering().UseFrameTransport()));

        host.ConfigureServices(static services =>
        {
            Assert.All(
                services.Where(static service => service.IsKeyedService && service.ServiceType == typeof(IConnectionFactory)),
                static service => Assert.Equal(typeof(FrameConnectionFactory), service.KeyedImplementationType));
            Assert.All(
                services.Where(static service => service.IsKeyedService && service.ServiceType == typeof(IConnectionListenerFactory)),
                static service => Assert.Equal(typeof(FrameConnectionListenerFactory), service.KeyedImplementationType));
        });
        host.Build().Dispose();
    }

    /// <summary>A call that was written before the cut was seen is lost as well; then one arrives.</summary>
    private static async Task ArrivesAsync(IPayloadGrain grain)
    {
        for (var lost = true; lost;)
        {
            try
            {
                await CopyAsync(grain, 100 * KiB, 0);
                lost = false;
            }
            catch (SiloUnavailableException)
            {
                lost = true;
            }
        }
    }

    private static async Task CopyAsync(IPayloadGrain grain, int length, int padding)
    {
        using var message = Payload(length, padding);
        var reply = await grain.CopyAsync(new InferRequest { Message = message }, default).AsTask().Soon();
        using var answer = reply.Message!;
        Assert.NotSame(message, answer);
        Assert.Equal(padding, answer.Padding);
        Assert.True(message.Span.SequenceEqual(answer.Span), $"{length} bytes, padding {padding}");
    }

    private static async Task UntilAsync(IPayloadGrain grain, int held)
    {
        while (await grain.CountAsync() != held)
        {
            await Task.Delay(5, TestContext.Current.CancellationToken);
        }
    }

    private static PayloadBuffer Payload(int length, int padding)
    {
        var payload = PayloadBuffer.Rent(length, padding);
        new Random(length).NextBytes(payload.Span);
        return payload;
    }
}
