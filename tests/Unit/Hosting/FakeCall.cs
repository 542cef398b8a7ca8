using System.Reflection;
using Orleans.Serialization.Invocation;

namespace Cluster.Unit.Hosting;

/// <summary>A call on its way out, which ends when the test says so.</summary>
internal sealed class FakeCall(Task end, GrainId? source = null) : IOutgoingGrainCallContext
{
    public IInvokable Request => throw new NotSupportedException();

    public object Grain => this;

    public GrainId? SourceId => source;

    public GrainId TargetId => throw new NotSupportedException();

    public GrainInterfaceType InterfaceType => throw new NotSupportedException();

    public string InterfaceName => "";

    public string MethodName => "";

    public MethodInfo InterfaceMethod => throw new NotSupportedException();

    public IGrainContext? SourceContext => null;

    public object? Result { get; set; }

    public Response? Response { get; set; }

    public Task Invoke() => end;
}
