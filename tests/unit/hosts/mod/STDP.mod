COMMENT
Who     one per plastic connection of a NetPyNE network, which asks for a mechanism of this name
In      events of weight above 0 (the source has fired) and below 0 (the target has)
Out     synweight, the weight of the connection: up where the target follows, down where it leads
ENDCOMMENT

NEURON {
    POINT_PROCESS STDP
    POINTER synweight
    RANGE up, down, tau, last_source, last_target
}

PARAMETER {
    up = 1e-4 (uS)
    down = 1e-4 (uS)
    tau = 20 (ms)
}

ASSIGNED {
    synweight (uS)
    last_source (ms)
    last_target (ms)
}

INITIAL {
    last_source = -1e9
    last_target = -1e9
}

NET_RECEIVE(w) {
    if (w > 0) {
        last_source = t
        synweight = synweight - down * exp((last_target - t) / tau)
    } else {
        last_target = t
        synweight = synweight + up * exp((last_source - t) / tau)
    }
}
